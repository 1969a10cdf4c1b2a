"""What commands on an installation share: the home, the custodians' passphrases, who acts."""

import os
import pwd
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.sources.relations import Source
from kuimen.sources.scan import ScanRow

if TYPE_CHECKING:
    from kuimen.gate.audit.services import Actor
    from kuimen.gate.keys.keyring import Keyring

Command = TypeVar("Command", bound=Callable[..., object])


def _home(_context: click.Context, _parameter: click.Parameter, value: Path | None) -> InstallationHome:
    return InstallationHome.locate(value)


def home_option(command: Command) -> Command:
    """Add `--home`: which installation."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        callback=_home,
        help="Home of the installation; by default KUIMEN_HOME, else the user's data folder.",
    )(command)


def unlock_options(command: Command) -> Command:
    """Add the two ways to unlock unattended; without them both custodians are asked."""
    with_file = click.option(
        "--credentials-file",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Custodians' passphrases, one STAFF_NO=passphrase a line; mode 0600, outside the data folder.",
    )(command)
    return click.option("--passphrase-fd", type=int, help="Read the same lines from this open file descriptor.")(
        with_file
    )


@contextmanager
def unlocked(home: InstallationHome, *, file: Path | None, descriptor: int | None) -> Iterator["Keyring"]:
    """Open the installation with its keys unlocked for the length of a block; pending audit entries are sealed last.

    Raises:
        NotInitialisedError: nothing stands in `home`.
        WrongPassphraseError, UnsafePassphraseFileError: the keys stay locked.
    """
    from kuimen.entrypoints.installation.install import opened
    from kuimen.entrypoints.installation.unlocking import unlock_installation

    with opened(home):
        from kuimen.gate.audit import services as audit
        from kuimen.gate.keys import services as keys

        ring = unlock_installation(home, file=file, descriptor=descriptor)
        try:
            yield ring
        finally:
            audit.sequence_pending(ring.signer())
            keys.lock()


def operator() -> "Actor":
    """Name the person at the terminal for the audit log: the operating-system account, no member of staff."""
    from kuimen.gate.audit.services import Actor

    account = pwd.getpwuid(os.geteuid()).pw_name
    return Actor(kind="system", ref=f"os:{account}", label=f"命令行 {account}")


def feed_inventory(
    home: InstallationHome, location: str, source: Source, rows: Sequence[ScanRow], *, overlay: str | None
) -> None:
    """Record a scan in the asset directory of the installation; the source's password is not kept."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.governance.inventory import services as inventory

        known = inventory.register_source(
            location, actor=operator(), overlay=overlay, source=source, keep_password=False
        )
        inventory.record_scan(rows, operator(), source_id=known.source_id)
