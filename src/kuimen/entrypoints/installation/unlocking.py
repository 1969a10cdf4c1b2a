"""How the passphrases of both custodians come in: by prompt, by file descriptor, or by a credentials file.

Never from an argument, an environment variable or the database. One line a custodian: ``STAFF_NO=passphrase``.
"""

import getpass
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kuimen.entrypoints.installation.errors import UnsafePassphraseFileError
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.installation.servers import EmbeddedServer, server_of

if TYPE_CHECKING:
    from kuimen.gate.keys.keyring import Keyring

FILE_VARIABLE = "KUIMEN_CREDENTIALS_FILE"
SYSTEMD_VARIABLE = "CREDENTIALS_DIRECTORY"
SYSTEMD_NAME = "kuimen-passphrases"
LARGEST_FILE = 64 * 1024
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def unlock_installation(
    home: InstallationHome,
    *,
    file: Path | None = None,
    descriptor: int | None = None,
    ask: Callable[[str], str] = getpass.getpass,
) -> "Keyring":
    """Unlock the keys of this process; Django is loaded and the server runs.

    A descriptor wins over a file, a named file over the environment's, and without either both custodians are asked.

    Raises:
        UnsafePassphraseFileError: the file can be read by others, lies in the data folder, or is malformed.
        WrongPassphraseError, MissingCustodianError, RootFileMissingError, RootFileAlteredError: as the key room says.
    """
    from kuimen.gate.keys import services as keys  # noqa: PLC0415 - settings exist only by now

    chosen = file or environment_file()
    if descriptor is not None:
        passphrases = from_descriptor(descriptor)
    elif chosen is not None:
        passphrases = from_file(chosen, home=home)
    else:
        info = keys.root_info(home.root_key)
        passphrases = from_prompt(info.custodians, needed=info.threshold, ask=ask)
    return keys.unlock(home.root_key, passphrases)


def environment_file() -> Path | None:
    """Return the credentials file of the environment: ``KUIMEN_CREDENTIALS_FILE``, else the service manager's."""
    if named := os.environ.get(FILE_VARIABLE):
        return Path(named)
    if folder := os.environ.get(SYSTEMD_VARIABLE):
        path = Path(folder) / SYSTEMD_NAME
        return path if path.is_file() else None
    return None


def from_prompt(
    custodians: Sequence[str], *, needed: int | None = None, ask: Callable[[str], str] = getpass.getpass
) -> dict[str, str]:
    """Ask each custodian in turn until enough of them answered; nothing is echoed, an empty answer means absent."""
    given: dict[str, str] = {}
    for custodian in custodians:
        if len(given) == (needed or len(custodians)):
            break
        if passphrase := ask(f"口令 passphrase {custodian}: "):
            given[custodian] = passphrase
    return given


def from_descriptor(descriptor: int) -> dict[str, str]:
    """Read lines from an open descriptor to its end and close it."""
    with os.fdopen(descriptor, "rb") as stream:
        return _parse(stream.read(LARGEST_FILE))


def from_file(path: Path, *, home: InstallationHome) -> dict[str, str]:
    """Read a credentials file that only its owner can read and that lies outside the data.

    Raises:
        UnsafePassphraseFileError: it does not, or it is malformed.
    """
    real = path.resolve()
    for folder in _data_folders(home):
        if real.is_relative_to(folder.resolve()):
            raise UnsafePassphraseFileError(
                "the credentials file must lie outside the data folder, or a copy of the data holds it"
            )
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        raise UnsafePassphraseFileError("the credentials file is missing, unreadable or a link") from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_mode & _OTHERS or found.st_uid not in (os.geteuid(), 0):
        os.close(descriptor)
        raise UnsafePassphraseFileError("the credentials file must be a plain file of this user with mode 0600 or 0400")
    return from_descriptor(descriptor)


def _data_folders(home: InstallationHome) -> list[Path]:
    server = server_of(home)
    return [home.root, server.postgres.folder] if isinstance(server, EmbeddedServer) else [home.root]


def _parse(content: bytes) -> dict[str, str]:
    passphrases: dict[str, str] = {}
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise UnsafePassphraseFileError("credentials: the text is not UTF-8") from None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        custodian, separator, passphrase = line.partition("=")
        if not separator or not custodian.strip() or not passphrase:
            raise UnsafePassphraseFileError(f"credentials, line {number}: write STAFF_NO=passphrase")
        passphrases[custodian.strip()] = passphrase
    return passphrases
