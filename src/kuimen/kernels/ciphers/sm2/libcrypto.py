"""SM2 by the libcrypto that the interpreter itself is linked to.

Looking symbols up through the `_hashlib` extension finds exactly that library, without guessing paths. Every function
is declared with its argument and result types: an undeclared pointer would be cut to 32 bits.
"""

import ctypes
import importlib
from ctypes import c_char_p, c_int, c_long, c_size_t, c_ubyte, c_ulong, c_void_p
from functools import lru_cache
from typing import Final, Self

from kuimen.kernels.ciphers.errors import Sm2KeyError, Sm2UnavailableError
from kuimen.kernels.ciphers.sm2 import curve
from kuimen.kernels.ciphers.sm2.provider import DISTINGUISHING_ID

OK: Final = 1
MAX_SIGNATURE_BYTES: Final = 72  # SEQUENCE of two INTEGERs of at most 33 bytes
FIRST_VERSION: Final = 0x30000000  # OpenSSL 3.0: the first with SM2 behind these functions
KEPT_PUBLIC_KEYS: Final = 64
FALLBACK_NAMES: Final = ("libcrypto.so.3", "libcrypto.3.dylib")

_SIGNATURES: Final = {
    "OpenSSL_version_num": ([], c_ulong),
    "ERR_clear_error": ([], None),
    "EVP_sm3": ([], c_void_p),
    "EVP_MD_CTX_new": ([], c_void_p),
    "EVP_MD_CTX_free": ([c_void_p], None),
    "EVP_MD_CTX_set_pkey_ctx": ([c_void_p, c_void_p], None),
    "EVP_PKEY_CTX_new_from_pkey": ([c_void_p, c_void_p, c_char_p], c_void_p),
    "EVP_PKEY_CTX_free": ([c_void_p], None),
    "EVP_PKEY_CTX_set1_id": ([c_void_p, c_char_p, c_size_t], c_int),
    "EVP_PKEY_free": ([c_void_p], None),
    "EVP_DigestSignInit": ([c_void_p, c_void_p, c_void_p, c_void_p, c_void_p], c_int),
    "EVP_DigestSign": ([c_void_p, c_void_p, c_void_p, c_char_p, c_size_t], c_int),
    "EVP_DigestVerifyInit": ([c_void_p, c_void_p, c_void_p, c_void_p, c_void_p], c_int),
    "EVP_DigestVerify": ([c_void_p, c_char_p, c_size_t, c_char_p, c_size_t], c_int),
    "EVP_PKEY_encrypt_init": ([c_void_p], c_int),
    "EVP_PKEY_encrypt": ([c_void_p, c_void_p, c_void_p, c_char_p, c_size_t], c_int),
    "EVP_PKEY_decrypt_init": ([c_void_p], c_int),
    "EVP_PKEY_decrypt": ([c_void_p, c_void_p, c_void_p, c_char_p, c_size_t], c_int),
    "d2i_PUBKEY": ([c_void_p, c_void_p, c_long], c_void_p),
    "d2i_AutoPrivateKey": ([c_void_p, c_void_p, c_long], c_void_p),
    "i2d_PUBKEY": ([c_void_p, c_void_p], c_int),
}


def _load() -> ctypes.CDLL | None:
    """Return the library with every function declared; None where there is none of ours."""
    candidates = [getattr(importlib.import_module("_hashlib"), "__file__", None), *FALLBACK_NAMES]
    for candidate in candidates:
        if candidate is None:  # `_hashlib` is built into the interpreter
            continue
        try:
            library = ctypes.CDLL(candidate)
            for name, (arguments, result) in _SIGNATURES.items():
                function = getattr(library, name)
                function.argtypes = arguments
                function.restype = result
        except (OSError, AttributeError):
            continue
        if library.OpenSSL_version_num() >= FIRST_VERSION:
            return library
    return None


class _Key:
    """A key inside the library, freed with this object."""

    __slots__ = ("_library", "pointer")

    def __init__(self, library: ctypes.CDLL, der: bytes, *, is_secret: bool) -> None:
        self._library = library
        self.pointer: int | None = None
        decode = library.d2i_AutoPrivateKey if is_secret else library.d2i_PUBKEY
        buffer = (c_ubyte * len(der)).from_buffer_copy(der)
        cursor = c_void_p(ctypes.addressof(buffer))
        self.pointer = decode(None, ctypes.byref(cursor), len(der))
        ctypes.memset(buffer, 0, len(der))
        if not self.pointer:
            library.ERR_clear_error()
            raise Sm2KeyError("key: libcrypto does not take it as an SM2 key; export it again")

    def __del__(self) -> None:
        if self.pointer:
            self._library.EVP_PKEY_free(self.pointer)
            self.pointer = None


class _Contexts:
    """The two contexts of one operation, with the identifier set; freed on leaving."""

    __slots__ = ("_key", "_library", "digest", "pkey")

    def __init__(self, library: ctypes.CDLL, key: _Key) -> None:
        self._library = library
        self._key = key
        self.digest: int | None = None
        self.pkey: int | None = None

    def __enter__(self) -> Self:
        library = self._library
        self.digest = library.EVP_MD_CTX_new()
        self.pkey = library.EVP_PKEY_CTX_new_from_pkey(None, self._key.pointer, None)
        identified = (
            self.digest
            and self.pkey
            and library.EVP_PKEY_CTX_set1_id(self.pkey, DISTINGUISHING_ID, len(DISTINGUISHING_ID)) == OK
        )
        if not identified:
            self.__exit__()
            raise Sm2UnavailableError("SM2: libcrypto has no SM2 signatures; install one that has, or gmssl-pyx")
        library.EVP_MD_CTX_set_pkey_ctx(self.digest, self.pkey)
        return self

    def __exit__(self, *_: object) -> None:
        # the error queue belongs to the thread and is shared with `ssl`: leave nothing in it
        self._library.ERR_clear_error()
        self._library.EVP_MD_CTX_free(self.digest)
        self._library.EVP_PKEY_CTX_free(self.pkey)
        self.digest = self.pkey = None


class LibcryptoSm2:
    """SM2 by libcrypto 3.0 or newer."""

    name = "libcrypto"

    def __init__(self) -> None:
        """Find the library.

        Raises:
            Sm2UnavailableError: the interpreter has none within reach, or it is too old.
        """
        library = _load()
        if library is None:
            raise Sm2UnavailableError("SM2: no libcrypto 3 within reach; install it, or the package gmssl-pyx")
        self._library = library
        # public keys come again and again, and decoding one costs as much as a verification; secret keys are not kept
        self._public_key = lru_cache(maxsize=KEPT_PUBLIC_KEYS)(self._decode_public)

    def _decode_public(self, point: bytes) -> _Key:
        return _Key(self._library, curve.public_der(point), is_secret=False)

    def public_point(self, secret: bytes) -> bytes:
        """Return the 65 bytes of the public point of a private key."""
        key = _Key(self._library, curve.bare_secret_der(secret), is_secret=True)
        length = self._library.i2d_PUBKEY(key.pointer, None)
        if length <= curve.PUBLIC_BYTES:
            self._library.ERR_clear_error()
            raise Sm2KeyError("private key: libcrypto finds no public key to it; export it again")
        buffer = (c_ubyte * length)()
        cursor = c_void_p(ctypes.addressof(buffer))
        self._library.i2d_PUBKEY(key.pointer, ctypes.byref(cursor))
        return bytes(buffer)[-curve.PUBLIC_BYTES :]

    def sign(self, secret: bytes, point: bytes, message: bytes) -> bytes:
        """Return a DER signature of the message under the usual identifier."""
        library = self._library
        key = _Key(library, curve.secret_der(secret, point), is_secret=True)
        with _Contexts(library, key) as contexts:
            length = c_size_t(MAX_SIGNATURE_BYTES)
            buffer = (c_ubyte * MAX_SIGNATURE_BYTES)()
            signed = library.EVP_DigestSignInit(
                contexts.digest, None, library.EVP_sm3(), None, key.pointer
            ) == OK and library.EVP_DigestSign(contexts.digest, buffer, ctypes.byref(length), message, len(message))
            if signed != OK:
                raise Sm2UnavailableError("SM2: libcrypto did not sign; run the self-test")
            return bytes(buffer)[: length.value]

    def verify(self, point: bytes, message: bytes, signature: bytes) -> bool:
        """Tell whether a DER signature belongs to message and key."""
        library = self._library
        key = self._public_key(point)
        with _Contexts(library, key) as contexts:
            ready = library.EVP_DigestVerifyInit(contexts.digest, None, library.EVP_sm3(), None, key.pointer)
            if ready != OK:
                raise Sm2UnavailableError("SM2: libcrypto has no SM2 signatures; install one that has, or gmssl-pyx")
            answer: int = library.EVP_DigestVerify(contexts.digest, signature, len(signature), message, len(message))
            return answer == OK

    def encrypt(self, point: bytes, plaintext: bytes) -> bytes:
        """Return the ciphertext of a text of any length."""
        ciphertext = self._crypt(self._public_key(point), "EVP_PKEY_encrypt", plaintext)
        if ciphertext is None:
            raise Sm2UnavailableError("SM2: libcrypto did not encrypt; run the self-test")
        return ciphertext

    def decrypt(self, secret: bytes, point: bytes, ciphertext: bytes) -> bytes | None:
        """Return the plaintext, or None when it does not open."""
        key = _Key(self._library, curve.secret_der(secret, point), is_secret=True)
        return self._crypt(key, "EVP_PKEY_decrypt", ciphertext)

    def _crypt(self, key: _Key, operation: str, data: bytes) -> bytes | None:
        """Run the two calls of an operation: ask for the length, then fill a buffer that is wiped afterwards."""
        library = self._library
        run = getattr(library, operation)
        context = library.EVP_PKEY_CTX_new_from_pkey(None, key.pointer, None)
        length = c_size_t(0)
        try:
            if not context or getattr(library, f"{operation}_init")(context) != OK:
                raise Sm2UnavailableError("SM2: libcrypto has no SM2 encryption; install one that has, or gmssl-pyx")
            if run(context, None, ctypes.byref(length), data, len(data)) != OK:
                return None
            buffer = (c_ubyte * length.value)()
            try:
                if run(context, buffer, ctypes.byref(length), data, len(data)) != OK:
                    return None
                return bytes(buffer)[: length.value]
            finally:
                ctypes.memset(buffer, 0, len(buffer))
        finally:
            library.ERR_clear_error()
            library.EVP_PKEY_CTX_free(context)
