"""`kuimen keys backup-check` and `confirm-backup`: is there a whole copy of the key folder, and who saw it last."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kuimen.entrypoints.cli.installed import home_option
from kuimen.entrypoints.cli.signed_in import signed_in, token_option
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.keys import show_backup
from kuimen.entrypoints.terminal.output import emit_json
from kuimen.foundation.errors import UnavailableError

if TYPE_CHECKING:
    from kuimen.gate.keys.backup import BackupFinding

JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object a file.")


class NotBackedUpError(UnavailableError):
    """A file of the key folder has no confirmed copy of its present state."""

    code = "keys.not_backed_up"


@click.command("backup-check")
@JSON
@home_option
def backup_check(*, as_json: bool, home: InstallationHome) -> None:
    """密钥备份核查 Say whether each file of the key folder is there and its backup confirmed; needs no passphrase.

    Exit code 7 unless every file is confirmed in its present state, at most 90 days ago.
    """
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.keys.backup import BackupState, backup_findings

        findings = backup_findings(home.root_key)
    _show(findings, as_json=as_json)
    if any(one.state not in {BackupState.CONFIRMED, BackupState.AGEING, BackupState.NOT_YET} for one in findings):
        raise NotBackedUpError(
            "the key folder is not known to be backed up; copy it apart from the databases, then run "
            "kuimen keys confirm-backup on the copy"
        )


@click.command("confirm-backup")
@click.argument("copy", type=click.Path(path_type=Path, file_okay=False))
@token_option(required=True)
@JSON
@home_option
def confirm_backup(*, copy: Path, token_file: Path, as_json: bool, home: InstallationHome) -> None:
    """确认备份完好 Compare COPY, a folder with copies of the key files, with the present ones and put it on record."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.gate.vault.rotation import overseeing

        findings = overseeing.confirm_backup(copy, officer=signed_in(token_file))
    _show(findings, as_json=as_json)


def _show(findings: "list[BackupFinding]", *, as_json: bool) -> None:
    if not as_json:
        show_backup(findings)
        return
    for one in findings:
        emit_json(
            {"file": one.name, "state": one.state.value, "changed_at": one.changed_at, "sm3": one.sm3,
             "confirmed_at": one.confirmed_at, "confirmed_by": one.confirmed_by}
        )  # fmt: skip
