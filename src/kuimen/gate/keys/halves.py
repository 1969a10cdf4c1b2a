"""The outside half of every domain key: 32 random bytes in a file beside the root, in no database or its backup.

A domain key is wrapped under the root and then under its half. Destroying a version takes its half out of the file, and
from then on no backup of the key database opens anything under that version, whoever holds the root. So the file must
not be kept in old states: back up its newest state only, apart from the databases. Losing it loses every value.

Domain keys of earlier releases have no half; their next version has one.

Clause: JRT0171-6.1.5-a, JRT0171-6.2.4-a
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import UUID

from kuimen.gate.keys.errors import KeyAlteredError, KeyDestroyedError, KeyStoreError
from kuimen.gate.keys.material import binding
from kuimen.gate.keys.rules import RetentionClass
from kuimen.kernels.ciphers import SealBrokenError, Suite, hkdf_sm3, open_sealed, seal

FILE_NAME: Final = "domain-halves.json"
_HALF_BYTES: Final = 32
_KEY_BYTES: Final = 16
_ROOT_WRAPPED_AT_MOST: Final = 66  # what the root alone makes of a key of 32 bytes; with a half it is longer


class DomainHalves:
    """The file. Every change is written whole and durably, under a lock that all processes share."""

    def __init__(self, path: Path) -> None:
        """Use the file at `path`; it comes into being with the first half."""
        self._path = path

    def close_over(self, wrapped: bytes, kind: RetentionClass, version: int, *, institution: UUID) -> bytes:
        """Return a root-wrapped domain key wrapped once more under its half, which is drawn where there is none."""
        half = self._draw(_name(kind, version))
        aad = binding("half", institution, kind, version)
        return seal(_key(half), wrapped, aad=aad, suite=Suite.SM4_GCM, key_id=version)

    def open(self, stored: bytes, kind: RetentionClass, version: int, *, institution: UUID) -> bytes:
        """Return the root-wrapped domain key.

        Raises:
            KeyDestroyedError: the half of this version was destroyed, or the file was lost.
            KeyAlteredError: row or half was altered.
        """
        if len(stored) <= _ROOT_WRAPPED_AT_MOST:
            return stored
        half = self._read().get(_name(kind, version))
        if half is None:
            raise KeyDestroyedError(
                f"the outside half of version {version} of the domain key {kind} is gone: it was destroyed; "
                f"if it was not, bring back the newest {FILE_NAME}"
            )
        try:
            return open_sealed(_key(half), stored, aad=binding("half", institution, kind, version))
        except SealBrokenError:
            raise KeyAlteredError(
                f"the domain key {kind} does not open under its half; one of them was altered"
            ) from None

    def destroy(self, kind: RetentionClass, version: int) -> bool:
        """Destroy the half of one version, for good; return whether there was one."""
        name = _name(kind, version)
        with self._locked():
            held = self._read()
            if held.pop(name, None) is None:
                return False
            self._write(held)
        return True

    def exists(self, kind: RetentionClass, version: int) -> bool:
        """Return whether the half of one version still exists."""
        return _name(kind, version) in self._read()

    def _draw(self, name: str) -> bytes:
        """Return the half of this name, drawing it at first use; of two processes both get the same."""
        with self._locked():
            held = self._read()
            if name not in held:
                held[name] = secrets.token_bytes(_HALF_BYTES)
                self._write(held)
            return held[name]

    def _read(self) -> dict[str, bytes]:
        try:
            found = json.loads(self._path.read_bytes())
            return {str(name): base64.b64decode(half, validate=True) for name, half in found.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError):
            raise KeyStoreError(f"{self._path.name} cannot be read; bring back its newest state") from None

    def _write(self, held: dict[str, bytes]) -> None:
        """Write the new state, put it in the old one's place, and write over what the old file held."""
        content = json.dumps({name: base64.b64encode(half).decode() for name, half in sorted(held.items())}).encode()
        partial = self._path.with_name(f".{self._path.name}.new")

        def write() -> None:
            old = os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW) if self._path.exists() else None
            made = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(made, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._path)
            _sync(self._path.parent)
            if old is not None:
                with os.fdopen(old, "wb") as file:
                    file.write(bytes(os.fstat(file.fileno()).st_size))
                    file.flush()
                    os.fsync(file.fileno())

        self._on_disk(write)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            descriptor = os.open(
                self._path.with_name(f".{self._path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600
            )
        except OSError:
            raise KeyStoreError("the folder of the root key cannot be written; repair its mode") from None
        with os.fdopen(descriptor, "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _on_disk(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except OSError:
            raise KeyStoreError(f"{self._path.name} cannot be written; free the disk or repair its mode") from None


def beside(root_file: Path) -> DomainHalves:
    """Return the halves that belong to a root file."""
    return DomainHalves(root_file.with_name(FILE_NAME))


def _key(half: bytes) -> bytes:
    return hkdf_sm3(half, info=b"kuimen/keys/half/1", length=_KEY_BYTES)


def _name(kind: RetentionClass, version: int) -> str:
    return f"{kind.value}/{version}"


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
