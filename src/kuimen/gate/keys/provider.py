"""The root behind a port: whoever holds it wraps and unwraps; the root key itself never crosses the port.

The sealed file is the default provider. A PKCS#11 token or a KMS fits the same three members.
"""

from typing import Protocol
from uuid import UUID

from kuimen.gate.keys.errors import KeyAlteredError, KeysLockedError
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


class SealedFileProvider:
    """Root from the sealed file: one SM4 wrapping key per tree, derived with HKDF-SM3."""

    def __init__(self, opened: OpenedRoot) -> None:
        """Take over the opened root; the provider wipes it on :meth:`close`."""
        self._root: bytearray | None = opened.key
        self._info = opened.info

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

    def _wrapping_key(self, tree: str) -> bytes:
        if self._root is None:
            raise KeysLockedError("the keyring is locked; both custodians must unlock it")
        return hkdf_sm3(bytes(self._root), info=f"kuimen/keys/{tree}/1".encode(), length=_WRAPPING_KEY_LENGTH)
