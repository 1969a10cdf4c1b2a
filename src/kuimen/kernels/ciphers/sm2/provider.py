"""The port behind which a library does the arithmetic of SM2."""

from typing import Final, Protocol

# GM/T 0009-2012, 10: the distinguishing identifier where the parties agreed on no other. Always given explicitly:
# OpenSSL 3.0 would otherwise take the empty one and disagree with everybody.
DISTINGUISHING_ID: Final = b"1234567812345678"


class Sm2Provider(Protocol):
    """Signs, verifies, encrypts and decrypts; keys come checked and raw, ciphertexts are the DER of GM/T 0009."""

    name: str

    def public_point(self, secret: bytes) -> bytes:
        """Return the 65 bytes of the public point of a private key."""
        ...

    def sign(self, secret: bytes, point: bytes, message: bytes) -> bytes:
        """Return a DER signature of the message under the usual identifier."""
        ...

    def verify(self, point: bytes, message: bytes, signature: bytes) -> bool:
        """Tell whether a DER signature belongs to message and key."""
        ...

    def encrypt(self, point: bytes, plaintext: bytes) -> bytes:
        """Return the ciphertext of a text of at least one byte for the owner of the key.

        Raises:
            Sm2PlaintextError: longer than the library takes.
        """
        ...

    def decrypt(self, secret: bytes, point: bytes, ciphertext: bytes) -> bytes | None:
        """Return the plaintext, or None when it does not open."""
        ...
