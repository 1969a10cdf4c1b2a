"""Read the key file that `kuimen migrate-table keys` wrote, with its passphrase from a second file."""

import os
import stat
from pathlib import Path

from kuimen.entrypoints.orm.errors import KeyFileError
from kuimen.kernels.sealed_columns import ApplicationKeys, open_key_document

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_LARGEST = 1 << 20


def keys_from_file(key_file: Path | str, *, passphrase_file: Path | str) -> ApplicationKeys:
    """Open the keys of an application. Cost: about half a second, by intention.

    Args:
        key_file: what `kuimen migrate-table keys` wrote.
        passphrase_file: one line; mode 0600, for example a credential of the service manager or a mounted secret.

    Raises:
        KeyFileError: a file is missing, a link, or open to others.
        KeyDocumentError, WrongPhraseError: the file is none, or the passphrase does not open it.
    """
    passphrase = _private(Path(passphrase_file), name="passphrase file").decode("utf-8", "replace").strip()
    return open_key_document(_private(Path(key_file), name="key file"), passphrase=passphrase)


def _private(path: Path, *, name: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise KeyFileError(f"{name}: missing, unreadable or a link; give a plain file") from None
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS:
            raise KeyFileError(f"{name}: must be a plain file that nobody else may open; set its mode to 0600")
        return stream.read(_LARGEST)
