"""SM3 (GB/T 32905-2016), HMAC-SM3 and HKDF-SM3.

>>> sm3(b"abc").hex()
'66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0'
"""

import hashlib
from typing import Protocol

from cryptography.hazmat.primitives import hashes

from kuimen.kernels.ciphers.errors import DerivedLengthError

DIGEST_BYTES = 32  # GB/T 32905-2016, 5.1
BLOCK_BYTES = 64  # GB/T 32905-2016, 5.3.1
MAX_DERIVED_BYTES = 255 * DIGEST_BYTES  # RFC 5869, 2.3


class RunningDigest(Protocol):
    """What a digest under way can do."""

    def copy(self) -> "RunningDigest":
        """Return an independent digest in the same state."""
        ...

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""
        ...

    def digest(self) -> bytes:
        """Return the 32 bytes of everything taken in so far."""
        ...


class _WheelSM3:
    """SM3 of the `cryptography` wheel, for an interpreter whose own OpenSSL was built without it."""

    def __init__(self, state: hashes.Hash) -> None:
        self._state = state

    def copy(self) -> "_WheelSM3":
        return _WheelSM3(self._state.copy())

    def update(self, data: bytes, /) -> None:
        self._state.update(data)

    def digest(self) -> bytes:
        return self._state.copy().finalize()


def _fresh() -> RunningDigest:
    if "sm3" in hashlib.algorithms_available:
        return hashlib.new("sm3")
    return _WheelSM3(hashes.Hash(hashes.SM3()))


_EMPTY = _fresh()  # copying is cheaper than looking the algorithm up for every value


def new_sm3(data: bytes = b"") -> RunningDigest:
    """Start a digest that can be fed in parts."""
    state = _EMPTY.copy()
    state.update(data)
    return state


def sm3(data: bytes) -> bytes:
    """Return the 32-byte SM3 digest of `data`."""
    state = _EMPTY.copy()
    state.update(data)
    return state.digest()


def key_block(key: bytes) -> bytes:
    """Return a key as the block of 64 bytes that RFC 2104 pads; a longer one is digested first."""
    return (sm3(key) if len(key) > BLOCK_BYTES else key).ljust(BLOCK_BYTES, b"\0")


class HmacSM3:
    """One key made ready for many messages: its two padded blocks are taken in once.

    Source: RFC 2104 with SM3 as the digest.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        """Take in the key; see :func:`key_block`."""
        block = key_block(key)
        self._inner = new_sm3(bytes(byte ^ 0x36 for byte in block))
        self._outer = new_sm3(bytes(byte ^ 0x5C for byte in block))

    def tag(self, data: bytes) -> bytes:
        """Return the 32-byte tag of one message."""
        inner = self._inner.copy()
        inner.update(data)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """Return the 32-byte HMAC-SM3 of `data`."""
    return HmacSM3(key).tag(data)


def hkdf_sm3(key: bytes, *, info: bytes, length: int, salt: bytes = b"") -> bytes:
    """Derive `length` bytes (1 to 8160) for the use that `info` names.

    Raises:
        DerivedLengthError: `length` is out of range.

    Source: RFC 5869 with SM3 as the digest.
    """
    if not 0 < length <= MAX_DERIVED_BYTES:
        raise DerivedLengthError(f"length: HKDF-SM3 gives 1 to {MAX_DERIVED_BYTES} bytes; ask for less")
    expand = HmacSM3(hmac_sm3(salt or bytes(DIGEST_BYTES), key))
    block, blocks = b"", b""
    counter = 1
    while len(blocks) < length:
        block = expand.tag(block + info + bytes([counter]))
        blocks += block
        counter += 1
    return blocks[:length]
