"""SM2 by GmSSL through the optional package gmssl-pyx, where the interpreter has no usable libcrypto."""

import importlib
from types import ModuleType

from kuimen.kernels.ciphers.errors import Sm2PlaintextError, Sm2UnavailableError
from kuimen.kernels.ciphers.sm2 import curve
from kuimen.kernels.ciphers.sm2.provider import DISTINGUISHING_ID

MAX_PLAINTEXT_BYTES = 255  # GmSSL's SM2_MAX_PLAINTEXT_SIZE


class GmsslSm2:
    """SM2 by GmSSL. Its C code prints a trace to standard error at every signature that does not verify."""

    name = "gmssl"

    def __init__(self) -> None:
        """Find the package.

        Raises:
            Sm2UnavailableError: it is not installed.
        """
        try:
            self._library: ModuleType = importlib.import_module("gmssl_pyx")
        except ImportError:
            raise Sm2UnavailableError("SM2: the package gmssl-pyx is not installed; install it") from None

    def public_point(self, secret: bytes) -> bytes:
        """Return the 65 bytes of the public point of a private key.

        GmSSL's package does not tell it, so it is calculated here in Python: not in constant time.
        """
        return curve.multiply_generator(int.from_bytes(secret, "big"))

    def sign(self, secret: bytes, point: bytes, message: bytes) -> bytes:
        """Return a DER signature of the message under the usual identifier."""
        signature: bytes = self._library.sm2_sign(secret, point[1:], message, DISTINGUISHING_ID)
        return signature

    def verify(self, point: bytes, message: bytes, signature: bytes) -> bool:
        """Tell whether a DER signature belongs to message and key."""
        try:
            return bool(self._library.sm2_verify(point[1:], message, signature, DISTINGUISHING_ID))
        except self._library.GmsslInnerError:
            return False

    def encrypt(self, point: bytes, plaintext: bytes) -> bytes:
        """Return the ciphertext of at most 255 bytes.

        Raises:
            Sm2PlaintextError: longer than GmSSL takes.
        """
        if len(plaintext) > MAX_PLAINTEXT_BYTES:
            raise Sm2PlaintextError(f"plaintext: GmSSL takes {MAX_PLAINTEXT_BYTES} bytes; encrypt a key, not the text")
        ciphertext: bytes = self._library.sm2_encrypt(point[1:], plaintext)
        return ciphertext

    def decrypt(self, secret: bytes, point: bytes, ciphertext: bytes) -> bytes | None:  # noqa: ARG002 - the port's shape
        """Return the plaintext, or None when it does not open."""
        try:
            plaintext: bytes = self._library.sm2_decrypt(secret, ciphertext)
        except self._library.GmsslInnerError:
            return None
        return plaintext
