"""The root in a PKCS#11 token: the root key is made in the token, is not extractable, and never leaves it.

The sealed root file then holds the token's PIN, shared among the custodians as a root key would be, so that two persons
stay two persons. Keys are wrapped with AES key wrap (RFC 3394), for tokens such as SoftHSM know no SM4; what is wrapped
is the key followed by SM3 over its tree and binding, so that a wrapped key opens in its own place only. A token that
speaks GM/T 0018 instead needs a provider of its own behind the same port.

=========  =====  ===================================================================
offset     bytes  content
=========  =====  ===================================================================
0          1      mark and version, 0xC1
1          1      3: AES key wrap in a token
2          4      generation of the root key, big endian
6          n      AES key wrap of key ‖ SM3(length of tree ‖ tree ‖ binding)
=========  =====  ===================================================================
"""

import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Final, Protocol
from uuid import UUID

import pkcs11
from pkcs11 import Session
from pkcs11.types import UnwrapMixin, WrapMixin

from kuimen.gate.keys.errors import KeyAlteredError, KeysLockedError, TokenInputError, TokenUnavailableError
from kuimen.gate.keys.root_document import TokenPlace
from kuimen.gate.keys.root_file import OpenedRoot
from kuimen.kernels.ciphers import sm3

_HEADER: Final = b"\xc1\x03" + (1).to_bytes(4, "big")
_DIGEST: Final = 32
_KEY_BITS: Final = 256


class WrappingKey(Protocol):
    """What the root key in a token does."""

    def wrap_key(self, key: pkcs11.Key, *, mechanism: pkcs11.Mechanism) -> bytes:
        """Return a key wrapped."""
        ...

    def unwrap_key(
        self,
        object_class: pkcs11.ObjectClass,
        key_type: pkcs11.KeyType,
        key_data: bytes,
        *,
        mechanism: pkcs11.Mechanism,
        template: dict[pkcs11.Attribute, object],
    ) -> pkcs11.Key:
        """Return a key of the session."""
        ...


class TokenProvider:
    """Wraps and unwraps inside a token. One session a process, one call at a time."""

    def __init__(self, opened: OpenedRoot) -> None:
        """Open a session with the PIN of the root file; the provider wipes PIN and file key on :meth:`close`.

        Raises:
            TokenUnavailableError: the module or the token does not answer.
            TokenInputError: the token, its key or the PIN is not the one.
        """
        if opened.info.token is None or opened.pin is None:
            raise TokenInputError("the root file names no token; use the provider of the sealed file")
        self._info = opened.info
        self._place = opened.info.token
        self._pin: bytearray | None = opened.pin
        self._file_key = opened.key
        self._present = opened.present
        self._lock = RLock()
        self._process = os.getpid()
        self._session, self._key = _sign_in(self._place, self._pin)

    @property
    def institution_id(self) -> UUID:
        """Return the institution whose root this is."""
        return self._info.institution_id

    @property
    def fingerprint(self) -> str:
        """Return a public name of the root."""
        return self._info.fingerprint

    @property
    def custodians(self) -> tuple[str, ...]:
        """Return the staff numbers of those who hold it."""
        return self._info.custodians

    @property
    def present(self) -> tuple[str, ...]:
        """Return the custodians who gave their passphrase."""
        return self._present

    def wrap(self, tree: str, key: bytes, *, aad: bytes) -> bytes:
        """Return `key` wrapped by the token for `tree`, bound to `aad`."""
        payload = key + _bound(tree, aad)
        with self._lock, _translated():
            session, root = self._ready()
            secret = session.create_object(
                {
                    pkcs11.Attribute.CLASS: pkcs11.ObjectClass.SECRET_KEY,
                    pkcs11.Attribute.KEY_TYPE: pkcs11.KeyType.GENERIC_SECRET,
                    pkcs11.Attribute.VALUE: payload,
                    pkcs11.Attribute.TOKEN: False,
                    pkcs11.Attribute.EXTRACTABLE: True,
                    pkcs11.Attribute.SENSITIVE: False,
                }
            )
            if not isinstance(secret, pkcs11.Key):
                raise TokenUnavailableError("the PKCS#11 token made no key object of a secret; nothing was written")
            try:
                return _HEADER + bytes(root.wrap_key(secret, mechanism=pkcs11.Mechanism.AES_KEY_WRAP))
            finally:
                secret.destroy()

    def unwrap(self, tree: str, wrapped: bytes, *, aad: bytes) -> bytes:
        """Return the key.

        Raises:
            KeyAlteredError: altered, moved or of another root.
            TokenUnavailableError: the token does not answer.
        """
        foreign = KeyAlteredError(
            f"a key of the tree {tree} does not open under this root; it was altered, moved or is foreign"
        )
        if wrapped[: len(_HEADER)] != _HEADER:
            raise foreign
        with self._lock, _translated():
            session, root = self._ready()
            try:
                secret = root.unwrap_key(
                    pkcs11.ObjectClass.SECRET_KEY,
                    pkcs11.KeyType.GENERIC_SECRET,
                    wrapped[len(_HEADER) :],
                    mechanism=pkcs11.Mechanism.AES_KEY_WRAP,
                    template={
                        pkcs11.Attribute.TOKEN: False,
                        pkcs11.Attribute.EXTRACTABLE: True,
                        pkcs11.Attribute.SENSITIVE: False,
                    },
                )
            except (
                pkcs11.exceptions.WrappedKeyInvalid,
                pkcs11.exceptions.WrappedKeyLenRange,
                pkcs11.exceptions.EncryptedDataInvalid,
                pkcs11.exceptions.EncryptedDataLenRange,
                pkcs11.exceptions.GeneralError,
                pkcs11.exceptions.ArgumentsBad,
                pkcs11.exceptions.FunctionFailed,
            ):
                if not _answers(session):
                    raise
                raise foreign from None
            try:
                payload = bytes(secret[pkcs11.Attribute.VALUE])
            finally:
                secret.destroy()
        if not hmac.compare_digest(payload[-_DIGEST:], _bound(tree, aad)):
            raise foreign
        return payload[:-_DIGEST]

    def close(self) -> None:
        """Log out; wipe PIN and file key."""
        with self._lock:
            if self._pin is None:
                return
            for secret in (self._pin, self._file_key):
                secret[:] = bytes(len(secret))
            self._pin = None
            if self._process == os.getpid():
                _sign_out(self._place)

    def after_fork(self) -> None:
        """Replace the locks in a forked child; it opens a session of its own at its first use."""
        global _guard  # noqa: PLW0603 - another thread may have held it when the process was copied
        _guard = RLock()
        self._lock = RLock()

    def _ready(self) -> tuple[Session, WrappingKey]:
        """Return session and key; a forked child opens its own, as the standard demands."""
        if self._pin is None:
            raise KeysLockedError("the keyring is locked; the custodians must unlock it")
        if self._process != os.getpid():
            self._session, self._key = _sign_in(self._place, self._pin)
            self._process = os.getpid()
        return self._session, self._key


def make_token_key(place: TokenPlace, pin: str) -> None:
    """Make the root key in a token: AES-256, not extractable, for wrapping only; an existing one is never replaced.

    Raises:
        TokenInputError: there is a key of this label already, or the token or the PIN is not the one.
        TokenUnavailableError: the module or the token does not answer.
    """
    with _translated():
        session = _session(place, bytearray(pin.encode()), writing=True)
        try:
            if any(True for _ in session.get_objects({pkcs11.Attribute.LABEL: place.key_label})):
                raise TokenInputError("key label: the token holds a key of this label; a second root would orphan it")
            session.generate_key(
                pkcs11.KeyType.AES,
                _KEY_BITS,
                label=place.key_label,
                store=True,
                template={
                    pkcs11.Attribute.EXTRACTABLE: False,
                    pkcs11.Attribute.SENSITIVE: True,
                    pkcs11.Attribute.WRAP: True,
                    pkcs11.Attribute.UNWRAP: True,
                    pkcs11.Attribute.ENCRYPT: False,
                    pkcs11.Attribute.DECRYPT: False,
                },
            )
        finally:
            session.close()


def _bound(tree: str, aad: bytes) -> bytes:
    name = tree.encode()
    return sm3(len(name).to_bytes(4, "big") + name + aad)


@dataclass(slots=True, kw_only=True)
class _Login:
    """The one session of this process with a token: signing in and out counts for the whole process."""

    session: Session
    key: WrappingKey
    pin_digest: bytes
    process: int
    users: int = 0


_logins: dict[TokenPlace, _Login] = {}
_guard = RLock()


def _sign_in(place: TokenPlace, pin: bytearray) -> tuple[Session, WrappingKey]:
    digest = sm3(bytes(pin))
    with _guard, _translated():
        login = _logins.get(place)
        if login is None or login.process != os.getpid():
            session = _session(place, pin, again=login is not None)
            try:
                key = session.get_key(object_class=pkcs11.ObjectClass.SECRET_KEY, label=place.key_label)
            except pkcs11.exceptions.PKCS11Error:
                session.close()
                raise
            if not (isinstance(key, WrapMixin) and isinstance(key, UnwrapMixin)):
                raise TokenInputError("key label: the object of this label does not wrap keys")
            login = _Login(session=session, key=key, pin_digest=digest, process=os.getpid())
            _logins[place] = login
        if not hmac.compare_digest(login.pin_digest, digest):
            raise TokenInputError("token: its PIN is not the one in the root file")
        login.users += 1
        return login.session, login.key


def _sign_out(place: TokenPlace) -> None:
    with _guard, _translated():
        login = _logins.get(place)
        if login is None or login.process != os.getpid():
            return
        login.users -= 1
        if login.users == 0:
            del _logins[place]
            login.session.close()


def _session(place: TokenPlace, pin: bytearray, *, writing: bool = False, again: bool = False) -> Session:
    library = pkcs11.lib(place.module)
    if again:
        library.reinitialize()
    token = library.get_token(token_label=place.token_label)
    session = token.open(rw=writing, user_pin=pin.decode())
    if not isinstance(session, Session):
        raise TokenUnavailableError("the PKCS#11 token gave no session; check module and token")
    return session


def _answers(session: Session) -> bool:
    with _translated():
        session.generate_random(64)
    return True


@contextmanager
def _translated() -> Iterator[None]:
    """Turn an error of the token into one that says what to do; its own text may name objects."""
    errors = pkcs11.exceptions
    try:
        yield
    except (errors.PinIncorrect, errors.PinLenRange, errors.PinLocked, errors.PinInvalid):
        raise TokenInputError(
            "token: it does not take this PIN, or is locked; a locked one needs its officer"
        ) from None
    except (errors.NoSuchToken, errors.MultipleTokensReturned):
        raise TokenInputError("token: none of this label is plugged in, or several; plug in the right one") from None
    except (errors.NoSuchKey, errors.MultipleObjectsReturned):
        raise TokenInputError("key label: the token holds no key of this label, or several") from None
    except (errors.PKCS11Error, RuntimeError):
        raise TokenUnavailableError(
            "the PKCS#11 token did not do its work; check module, token and permissions, nothing was written"
        ) from None
