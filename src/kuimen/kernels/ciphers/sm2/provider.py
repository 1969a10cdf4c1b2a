"""The port behind which a library does the arithmetic of SM2."""

from typing import Final, Protocol

# GM/T 0009-2012, 10: the distinguishing identifier where the parties agreed on no other. Always given explicitly:
# OpenSSL 3.0 would otherwise take the empty one and disagree with everybody.
DISTINGUISHING_ID: Final = b"1234567812345678"


class Sm2Provider(Protocol):
    """Signs and verifies; keys come checked and raw."""

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
