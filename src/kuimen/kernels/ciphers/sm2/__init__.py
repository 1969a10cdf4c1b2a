"""SM2 signatures (GB/T 32918.2-2016, under the usual distinguishing identifier) and encryption (GB/T 32918.4-2016).

>>> key = generate_keypair()
>>> key.public_key.verify(b"message", key.sign(b"message"))
"""

from functools import cache
from typing import NoReturn, Self, final

from typing_extensions import override

from kuimen.kernels.ciphers.errors import (
    DecryptionFailedError,
    SignatureBrokenError,
    Sm2CiphertextError,
    Sm2PlaintextError,
    Sm2UnavailableError,
)
from kuimen.kernels.ciphers.sm2 import curve
from kuimen.kernels.ciphers.sm2.ciphertext import check_ciphertext
from kuimen.kernels.ciphers.sm2.gmssl import GmsslSm2
from kuimen.kernels.ciphers.sm2.libcrypto import LibcryptoSm2
from kuimen.kernels.ciphers.sm2.provider import DISTINGUISHING_ID, Sm2Provider

__all__ = ["DISTINGUISHING_ID", "Sm2PrivateKey", "Sm2Provider", "Sm2PublicKey", "generate_keypair", "provider"]


@cache
def provider() -> Sm2Provider:
    """Return the library in use: the interpreter's own libcrypto, else GmSSL.

    Raises:
        Sm2UnavailableError: there is neither.
    """
    try:
        return LibcryptoSm2()
    except Sm2UnavailableError:
        return GmsslSm2()


@final
class Sm2PublicKey:
    """A point on the curve; equal when the points are."""

    __slots__ = ("_point",)

    def __init__(self, point: bytes) -> None:
        """Hold a point that was checked; use :meth:`from_bytes`."""
        self._point = point

    @classmethod
    def from_bytes(cls, point: bytes) -> Self:
        """Read 65 bytes: 04 and the two coordinates.

        Raises:
            Sm2KeyError: they are no point of the curve.
        """
        return cls(curve.check_public(point))

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        """Read a PEM block PUBLIC KEY.

        Raises:
            Sm2KeyError: it holds no SM2 public key.
        """
        return cls(curve.read_public_pem(pem))

    def to_bytes(self) -> bytes:
        """Return 65 bytes: 04 and the two coordinates."""
        return self._point

    def to_pem(self) -> str:
        """Return a PEM block PUBLIC KEY, which the `openssl` command reads."""
        return curve.write_pem(curve.public_der(self._point), is_secret=False)

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check a DER signature.

        Raises:
            SignatureBrokenError: it does not belong to this message and key.
        """
        if not provider().verify(self._point, message, signature):
            raise SignatureBrokenError("signature: it does not belong to this message and key; raise the alarm")

    def encrypt(self, plaintext: bytes) -> bytes:
        """Return the DER ciphertext (GM/T 0009) of a short text, such as the key of an envelope.

        Raises:
            Sm2PlaintextError: empty, or longer than the library takes.
        """
        if not plaintext:
            raise Sm2PlaintextError("plaintext: SM2 encrypts at least one byte")
        return provider().encrypt(self._point, plaintext)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sm2PublicKey) and other._point == self._point

    @override
    def __hash__(self) -> int:
        return int.from_bytes(self._point[1:9], "big")

    @override
    def __repr__(self) -> str:
        return f"Sm2PublicKey({self._point.hex()})"


@final
class Sm2PrivateKey:
    """A private key; it does not print itself and is neither pickled nor copied."""

    __slots__ = ("_secret", "public_key")

    def __init__(self, secret: bytes, public_key: Sm2PublicKey) -> None:
        """Hold a key that was checked; use :func:`generate_keypair` or :meth:`from_bytes`."""
        self._secret = secret
        self.public_key = public_key

    @classmethod
    def from_bytes(cls, secret: bytes) -> Self:
        """Read a raw private key of 32 bytes.

        Raises:
            Sm2KeyError: wrong length or out of range.
        """
        checked = curve.check_secret(secret)
        return cls(checked, Sm2PublicKey.from_bytes(provider().public_point(checked)))

    @classmethod
    def from_pem(cls, pem: str) -> Self:
        """Read an unencrypted PEM block PRIVATE KEY (PKCS #8).

        Raises:
            Sm2KeyError: it holds no SM2 private key.
        """
        return cls.from_bytes(curve.read_secret_pem(pem))

    def private_bytes(self) -> bytes:
        """Return the raw 32 bytes; seal them before they rest anywhere."""
        return self._secret

    def to_pem(self) -> str:
        """Return an unencrypted PEM block PRIVATE KEY; seal it before it rests anywhere."""
        return curve.write_pem(curve.secret_der(self._secret, self.public_bytes()), is_secret=True)

    def public_bytes(self) -> bytes:
        """Return the public key in 65 bytes: 04 and the two coordinates."""
        return self.public_key.to_bytes()

    def sign(self, message: bytes) -> bytes:
        """Return a DER signature, different at every call."""
        return provider().sign(self._secret, self.public_bytes(), message)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext of a DER ciphertext; other forms go through `ciphertext.read_form` first.

        Raises:
            DecryptionFailedError: it does not open. Malformed and foreign ciphertexts are answered alike.
        """
        try:
            plaintext = provider().decrypt(self._secret, self.public_bytes(), check_ciphertext(ciphertext))
        except Sm2CiphertextError:
            plaintext = None
        if plaintext is None:
            raise DecryptionFailedError("ciphertext: it does not open with this key; ask the sender to send it again")
        return plaintext

    @override
    def __repr__(self) -> str:
        return f"Sm2PrivateKey(of {self.public_key!r})"

    @override
    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse pickling and copying: a private key has one place."""
        message = "a private key is neither pickled nor copied; export it on purpose"
        raise TypeError(message)


def generate_keypair() -> Sm2PrivateKey:
    """Draw a new private key with its public key."""
    return Sm2PrivateKey.from_bytes(curve.draw_secret())
