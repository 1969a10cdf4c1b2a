"""The root behind a port: whoever holds it wraps and unwraps; the root key itself never crosses the port.

The sealed file is the default provider; `token_provider` keeps the root in a PKCS#11 token.
"""

from typing import Protocol
from uuid import UUID

from kuimen.gate.keys.errors import KeyAlteredError, KeysLockedError, TokenUnavailableError
from kuimen.gate.keys.root_file import OpenedRoot
from kuimen.kernels.ciphers import SealBrokenError, Suite, hkdf_sm3, open_sealed, seal

_WRAPPING_KEY_LENGTH = 16
_ROOT_GENERATION = 1


class RootProvider(Protocol):
    """Wraps keys under the root. `tree` separates key trees: domain, index, signing."""

    @property
    def institution_id(self) -> UUID:
        """Return the institution whose root this is."""
        ...

    @property
    def fingerprint(self) -> str:
        """Return a public name of the root."""
        ...

    @property
    def custodians(self) -> tuple[str, ...]:
        """Return the staff numbers of those who hold it."""
        ...

    @property
    def present(self) -> tuple[str, ...]:
        """Return those of them who gave their passphrase to this process."""
        ...

    def wrap(self, tree: str, key: bytes, *, aad: bytes) -> bytes:
        """Return `key` wrapped for `tree`, bound to `aad`."""
        ...

    def unwrap(self, tree: str, wrapped: bytes, *, aad: bytes) -> bytes:
        """Return the key.

        Raises:
            KeyAlteredError: altered, moved or of another root.
        """
        ...

    def close(self) -> None:
        """Forget the root; wipe what can be wiped."""
        ...

    def after_fork(self) -> None:
        """Make the provider usable in a forked child."""
        ...


def provider_of(opened: OpenedRoot) -> RootProvider:
    """Return the provider that an opened root file asks for: the file itself, or the token that it names.

    Raises:
        TokenUnavailableError, TokenInputError: the token does not answer, or is not the one.
    """
    if opened.info.token is None:
        return SealedFileProvider(opened)
    try:
        from kuimen.gate.keys.token_provider import TokenProvider  # noqa: PLC0415 - the package under it is optional
    except ImportError:
        raise TokenUnavailableError("python-pkcs11 is not installed; install kuimen with its extra hsm") from None
    return TokenProvider(opened)


class SealedFileProvider:
    """Root from the sealed file: one SM4 wrapping key per tree, derived with HKDF-SM3."""

    def __init__(self, opened: OpenedRoot) -> None:
        """Take over the opened root; the provider wipes it on :meth:`close`."""
        self._root: bytearray | None = opened.key
        self._info = opened.info
        self._present = opened.present

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
        """Return `key` wrapped with SM4-GCM for `tree`, bound to `aad`."""
        return seal(self._wrapping_key(tree), key, aad=aad, suite=Suite.SM4_GCM, key_id=_ROOT_GENERATION)

    def unwrap(self, tree: str, wrapped: bytes, *, aad: bytes) -> bytes:
        """Return the key.

        Raises:
            KeyAlteredError: altered, moved or of another root.
        """
        try:
            return open_sealed(self._wrapping_key(tree), wrapped, aad=aad)
        except SealBrokenError:
            raise KeyAlteredError(
                f"a key of the tree {tree} does not open under this root; it was altered, moved or is foreign"
            ) from None

    def close(self) -> None:
        """Wipe the root."""
        if self._root is not None:
            self._root[:] = bytes(len(self._root))
            self._root = None

    def after_fork(self) -> None:
        """Do nothing: the child has a copy of the root."""

    def _wrapping_key(self, tree: str) -> bytes:
        if self._root is None:
            raise KeysLockedError("the keyring is locked; both custodians must unlock it")
        return hkdf_sm3(bytes(self._root), info=f"kuimen/keys/{tree}/1".encode(), length=_WRAPPING_KEY_LENGTH)
