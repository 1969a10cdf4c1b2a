"""The cipher suites of a sealed value, one authenticated encryption each.

The nonce is drawn inside and handed back: no function of this package takes one, so no caller can repeat one.
"""

import secrets
from collections.abc import Iterator
from enum import IntEnum
from typing import Protocol, assert_never

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kuimen.kernels.ciphers.errors import KeyLengthError, UnknownSuiteError

NONCE_BYTES = 12  # NIST SP 800-38D, 8.2: 96 bits
TAG_BYTES = 16
MAX_VALUES_PER_KEY = 2**32  # NIST SP 800-38D, 8.3, for random 96-bit nonces
MAX_VALUE_BYTES = 2**31 - 1 - 64  # what one call into the libraries below takes, with room for header and tag


class Suite(IntEnum):
    """A cipher suite by the number that stands in the header."""

    SM4_GCM = 1  # RFC 8998, key of 16 bytes
    AES_256_GCM = 2  # NIST SP 800-38D, key of 32 bytes

    @property
    def key_bytes(self) -> int:
        """Return the length of a key, different for each suite, so that no key serves two."""
        return KEY_BYTES[self]

    @property
    def label(self) -> str:
        """Return the name used in settings and reports, for example ``sm4-gcm``."""
        return LABELS[self]


KEY_BYTES = {Suite.SM4_GCM: 16, Suite.AES_256_GCM: 32}
LABELS = {Suite.SM4_GCM: "sm4-gcm", Suite.AES_256_GCM: "aes-256-gcm"}


def suite_named(name: "Suite | str") -> Suite:
    """Return the suite of a name such as ``sm4-gcm``.

    Raises:
        UnknownSuiteError: there is no suite of that name.
    """
    if isinstance(name, Suite):
        return name
    for suite, label in LABELS.items():
        if label == name:
            return suite
    raise UnknownSuiteError(f"suite: choose one of {', '.join(LABELS.values())}")


class ValueCipher(Protocol):
    """One key made ready for many values."""

    def encrypt(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        """Return ciphertext and tag."""
        ...

    def decrypt(self, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes | None:
        """Return the plaintext, or None when the tag does not belong to it; nothing is returned unverified."""
        ...


class _SM4GCM:
    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        context = Cipher(self._key, modes.GCM(nonce)).encryptor()
        context.authenticate_additional_data(associated)
        ciphertext = context.update(plaintext) + context.finalize()
        return ciphertext + context.tag

    def decrypt(self, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes | None:
        context = Cipher(self._key, modes.GCM(nonce, ciphertext[-TAG_BYTES:])).decryptor()
        context.authenticate_additional_data(associated)
        plaintext = context.update(ciphertext[:-TAG_BYTES])
        try:
            return plaintext + context.finalize()
        except InvalidTag:
            return None


class _AES256GCM:
    __slots__ = ("_aead",)

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def encrypt(self, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
        return self._aead.encrypt(nonce, plaintext, associated)

    def decrypt(self, nonce: bytes, ciphertext: bytes, associated: bytes) -> bytes | None:
        try:
            return self._aead.decrypt(nonce, ciphertext, associated)
        except InvalidTag:
            return None


def cipher_for(suite: Suite, key: bytes) -> ValueCipher:
    """Make a key ready.

    Raises:
        KeyLengthError: the key does not have the length of the suite.
    """
    if len(key) != suite.key_bytes:
        raise KeyLengthError(f"key: {suite.label} takes {suite.key_bytes} bytes; give a key of that length")
    match suite:
        case Suite.SM4_GCM:
            return _SM4GCM(key)
        case Suite.AES_256_GCM:
            return _AES256GCM(key)
        case _:
            assert_never(suite)


def draw_nonce_bytes(count: int) -> bytes:
    """Draw `count` random nonces from the operating system in one call; they stand one behind the other."""
    return secrets.token_bytes(NONCE_BYTES * count)


def draw_nonces(count: int) -> Iterator[bytes]:
    """Draw `count` random nonces from the operating system in one call."""
    pool = draw_nonce_bytes(count)
    return (pool[start : start + NONCE_BYTES] for start in range(0, len(pool), NONCE_BYTES))
