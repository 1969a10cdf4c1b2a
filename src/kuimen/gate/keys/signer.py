"""The institution's own SM2 keys: for audit checkpoints, and for messages to and from partners."""

from typing import NoReturn

from typing_extensions import override

from kuimen.kernels.ciphers import sm2, sm3

AUDIT_USAGE = "audit"
_ID_BYTES = 8


class Sm2AuditSigner:
    """Signs and decrypts with one SM2 key; meets the port `AuditSigner` of the audit room."""

    def __init__(self, key_id: str, private_key: sm2.Sm2PrivateKey) -> None:
        """Hold the private key; `key_id` is published beside every signature."""
        self._key_id = key_id
        self._private_key = private_key

    @property
    def key_id(self) -> str:
        """Return the public name of the key."""
        return self._key_id

    def sign(self, message: bytes) -> bytes:
        """Return the DER signature of `message` (SM2 with SM3, ID 1234567812345678)."""
        return self._private_key.sign(message)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """Return the plaintext of a DER ciphertext.

        Raises:
            DecryptionFailedError: it does not open with this key.
        """
        return self._private_key.decrypt(ciphertext)

    @property
    def public_key(self) -> sm2.Sm2PublicKey:
        """Return the public half."""
        return self._private_key.public_key

    def public_bytes(self) -> bytes:
        """Return the public key, 65 bytes 04‖x‖y."""
        return self._private_key.public_bytes()

    @override
    def __repr__(self) -> str:
        return f"Sm2AuditSigner({self._key_id})"

    @override
    def __reduce__(self) -> NoReturn:
        """Refuse pickling: a key does not leave the process that unwrapped it."""
        msg = "a private key is not picklable"
        raise TypeError(msg)


def key_id_of(usage: str, public: bytes) -> str:
    """Return the public name of a key: its usage and the first bytes of SM3 over the public key."""
    return f"{usage}-sm2-{sm3(public)[:_ID_BYTES].hex()}"
