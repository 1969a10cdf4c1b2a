"""Digital envelopes: a text under a fresh SM4 key, and that key under the receiver's SM2 key.

What the parts are bound to is the caller's `aad`; who sent it is not told by an envelope, so sign it afterwards
(encrypt, then sign what goes over the wire).

>>> from kuimen.kernels.ciphers.sm2 import generate_keypair
>>> receiver = generate_keypair()
>>> open_envelope(seal_envelope(b"text", receiver.public_key, aad=b"order 7"), receiver, aad=b"order 7")
b'text'
"""

import secrets
from dataclasses import dataclass
from typing import Protocol

from kuimen.kernels.ciphers.errors import DecryptionFailedError
from kuimen.kernels.ciphers.sm2 import Sm2PublicKey
from kuimen.kernels.ciphers.suites import KEY_BYTES, NONCE_BYTES, TAG_BYTES, Suite, cipher_for, draw_nonces


class Opener(Protocol):
    """Holds a private SM2 key and decrypts with it."""

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext of a DER ciphertext, or raise :class:`DecryptionFailedError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """The parts: SM4 key under SM2 (DER), nonce (12 bytes), ciphertext of the text's length, tag (16 bytes)."""

    encrypted_key: bytes
    nonce: bytes
    ciphertext: bytes
    tag: bytes


def seal_envelope(plaintext: bytes, receiver: Sm2PublicKey, *, aad: bytes) -> Envelope:
    """Close an envelope for one receiver; key and nonce are fresh at every call."""
    key = secrets.token_bytes(KEY_BYTES[Suite.SM4_GCM])
    nonce = next(draw_nonces(1))
    sealed = cipher_for(Suite.SM4_GCM, key).encrypt(nonce, plaintext, aad)
    return Envelope(
        encrypted_key=receiver.encrypt(key), nonce=nonce, ciphertext=sealed[:-TAG_BYTES], tag=sealed[-TAG_BYTES:]
    )


def open_envelope(envelope: Envelope, receiver: Opener, *, aad: bytes) -> bytes:
    """Open an envelope.

    Raises:
        DecryptionFailedError: other receiver, other `aad`, or altered. Which of them is not told.
    """
    refusal = "envelope: it does not open here; ask the sender to send it again"
    try:
        key = receiver.decrypt(envelope.encrypted_key)
    except DecryptionFailedError:
        raise DecryptionFailedError(refusal) from None
    lengths = len(key), len(envelope.nonce), len(envelope.tag)
    if lengths != (KEY_BYTES[Suite.SM4_GCM], NONCE_BYTES, TAG_BYTES):
        raise DecryptionFailedError(refusal)
    text = cipher_for(Suite.SM4_GCM, key).decrypt(envelope.nonce, envelope.ciphertext + envelope.tag, aad)
    if text is None:
        raise DecryptionFailedError(refusal)
    return text
