"""The sealed value: 34 bytes around a ciphertext that opens only with its key and in its context.

===========  =====  ==========================================================================================
offset       bytes  content
===========  =====  ==========================================================================================
0            1      mark and version, 0xC1: high nibble 0xC marks a sealed value, low nibble is the version 1
1            1      low seven bits: suite (1 SM4-GCM, 2 AES-256-GCM); high bit: the plaintext was a text column
2            4      key generation, big endian
6            12     nonce
18           n      ciphertext, as long as the plaintext
18 + n       16     tag
===========  =====  ==========================================================================================

The associated data of the cipher is: the first six bytes ‖ length of `aad` as four bytes big endian ‖ `aad` ‖
`row_aad`. So the header is authenticated, and a byte cannot move between `aad` and `row_aad`.

>>> key = bytes(16)
>>> sealed = seal(key, b"six bytes", aad=b"context", key_id=7)
>>> open_sealed(key, sealed, aad=b"context"), header_of(sealed).key_id
(b'six bytes', 7)
"""

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from kuimen.kernels.ciphers.errors import (
    ContextFieldError,
    KeyGenerationRangeError,
    KeyLengthError,
    SealBrokenError,
    SealedHeaderError,
    SealedVersionError,
    ValueTooLargeError,
)
from kuimen.kernels.ciphers.suites import (
    KEY_BYTES,
    MAX_VALUE_BYTES,
    NONCE_BYTES,
    TAG_BYTES,
    Suite,
    ValueCipher,
    cipher_for,
    draw_nonces,
)

MARK = 0xC0
VERSION = 1
TEXT_FLAG = 0x80
PREFIX_BYTES = 6
HEADER_BYTES = PREFIX_BYTES + NONCE_BYTES
OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
MAX_KEY_ID = 2**32 - 1
MAX_FIELD_BYTES = 2**16 - 1
CONTEXT_LABEL = b"kuimen/vault/1"
SUITES = {int(suite): suite for suite in Suite}


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedHeader:
    """What a sealed value tells about itself; believe it only once the value has opened.

    Attributes:
        suite: the cipher suite.
        key_id: generation of the key, 0 to 2^32 - 1.
        is_text: the plaintext came from a text column and is UTF-8.
    """

    suite: Suite
    key_id: int
    is_text: bool


def prefix_bytes(suite: Suite, key_id: int, *, is_text: bool = False) -> bytes:
    """Write the first six bytes of a sealed value.

    Raises:
        KeyGenerationRangeError: `key_id` does not fit four bytes.
    """
    if not 0 <= key_id <= MAX_KEY_ID:
        raise KeyGenerationRangeError("key_id: the key generation is 0 to 4294967295; give one in that range")
    return bytes((MARK | VERSION, suite | (TEXT_FLAG if is_text else 0))) + key_id.to_bytes(4, "big")


def associated_bytes(prefix: bytes, aad: bytes, row_aad: bytes) -> bytes:
    """Join what the tag vouches for beside the ciphertext."""
    return prefix + len(aad).to_bytes(4, "big") + aad + row_aad


def header_of(sealed: bytes) -> SealedHeader:
    """Read the header, for example to look up the key.

    Raises:
        SealedHeaderError: the bytes are no sealed value, or truncated below the shortest one.
        SealedVersionError: a version or suite that this release does not know.
    """
    if len(sealed) < OVERHEAD_BYTES or sealed[0] & 0xF0 != MARK:
        raise SealedHeaderError("sealed value: the bytes are not a sealed value; find out who wrote them")
    suite = SUITES.get(sealed[1] & ~TEXT_FLAG)
    if sealed[0] != MARK | VERSION or suite is None:
        raise SealedVersionError("sealed value: unknown format version or suite; a newer release may open it")
    key_id = int.from_bytes(sealed[2:PREFIX_BYTES], "big")
    return SealedHeader(suite=suite, key_id=key_id, is_text=bool(sealed[1] & TEXT_FLAG))


def open_with(cipher: ValueCipher, sealed: bytes, *, aad: bytes, row_aad: bytes) -> bytes | None:
    """Open bytes whose header has been read, with a key made ready; None when the tag does not verify."""
    associated = associated_bytes(sealed[:PREFIX_BYTES], aad, row_aad)
    return cipher.decrypt(sealed[PREFIX_BYTES:HEADER_BYTES], sealed[HEADER_BYTES:], associated)


def seal(
    key: bytes,
    plaintext: bytes,
    *,
    aad: bytes,
    row_aad: bytes = b"",
    suite: Suite = Suite.SM4_GCM,
    key_id: int,
) -> bytes:
    """Seal one value; the nonce is drawn here.

    Args:
        key: 16 bytes for SM4-GCM, 32 bytes for AES-256-GCM. The caller counts its uses against 2^32.
        plaintext: 0 bytes or more, below 2 GiB.
        aad: the context it is bound to, see :func:`build_aad`.
        row_aad: a second context, as in :meth:`Sealer.seal_column`.
        suite: the cipher suite.
        key_id: generation of the key, for the header.

    Returns:
        `plaintext` and 34 bytes.

    Raises:
        KeyLengthError: the key does not have the length of the suite.
        KeyGenerationRangeError: `key_id` does not fit four bytes.
        ValueTooLargeError: the plaintext is 2 GiB or longer.

    Guarantees:
        It opens only with this key, this `aad`, this `row_aad` and untouched bytes.

    Clause: CQJR-5.3-d
    """
    if len(plaintext) > MAX_VALUE_BYTES:
        raise ValueTooLargeError(f"value: longer than {MAX_VALUE_BYTES} bytes; seal it in parts")
    prefix = prefix_bytes(suite, key_id)
    cipher = cipher_for(suite, key)
    nonce = next(draw_nonces(1))
    return prefix + nonce + cipher.encrypt(nonce, plaintext, associated_bytes(prefix, aad, row_aad))


def open_sealed(key: bytes, sealed: bytes, *, aad: bytes, row_aad: bytes = b"") -> bytes:
    """Open one sealed value.

    Raises:
        KeyLengthError: the key fits no suite at all, a defect of the caller.
        SealBrokenError: other key, other context, or altered bytes; nothing of the plaintext is returned.
    """
    if len(key) not in KEY_BYTES.values():
        raise KeyLengthError("key: it fits no suite; give 16 bytes for sm4-gcm or 32 for aes-256-gcm")
    header = header_of(sealed)
    plaintext = None
    if len(key) == header.suite.key_bytes:
        plaintext = open_with(cipher_for(header.suite, key), sealed, aad=aad, row_aad=row_aad)
    if plaintext is None:
        raise SealBrokenError("sealed value: it does not open with this key and context; raise the alarm")
    return plaintext


def build_aad(
    institution: bytes,
    *,
    record: UUID,
    element: str,
    person: UUID | None,
    retention_class: str,
    generation: int,
) -> bytes:
    """Write the context of a vault record: where a value belongs, so that it opens nowhere else.

    Args:
        institution: identifier of the installation's institution, 1 to 65535 bytes.
        record: the vault record.
        element: name of the data element.
        person: the person whose key sealed it; None for a table key.
        retention_class: the class whose clock ends its life.
        generation: generation of the key, 0 to 2^32 - 1.

    Returns:
        A label and six fields, each behind its length in two bytes; no two contexts give the same bytes.

    Raises:
        ContextFieldError: a field is empty or too long.
        KeyGenerationRangeError: `generation` does not fit four bytes.
    """
    if not 0 <= generation <= MAX_KEY_ID:
        raise KeyGenerationRangeError("generation: the key generation is 0 to 4294967295; give one in that range")
    head, middle, tail = _fixed_fields(institution, element, retention_class)
    owner = _ABSENT if person is None else _SIXTEEN + person.bytes
    return head + record.bytes + middle + owner + tail + generation.to_bytes(4, "big")


_ABSENT, _SIXTEEN = (0).to_bytes(2, "big"), (16).to_bytes(2, "big")


@lru_cache(maxsize=1024)
def _fixed_fields(institution: bytes, element: str, retention_class: str) -> tuple[bytes, bytes, bytes]:
    """Return what stands before the record, between record and person, and between person and generation."""
    fields = {"institution": institution, "element": element.encode(), "retention_class": retention_class.encode()}
    for name, field in fields.items():
        if not 0 < len(field) <= MAX_FIELD_BYTES:
            raise ContextFieldError(f"{name}: empty or longer than {MAX_FIELD_BYTES} bytes; name it")
    first, element_field, class_field = (len(field).to_bytes(2, "big") + field for field in fields.values())
    return CONTEXT_LABEL + first + _SIXTEEN, element_field, class_field + (4).to_bytes(2, "big")
