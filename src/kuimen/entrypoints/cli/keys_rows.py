"""`kuimen keys verify-rows`: does every row of the vault fit its seal, and what the audit log recorded of it?"""

from pathlib import Path

import click

from kuimen.entrypoints.cli.installed import home_option, operator, unlock_options, unlocked
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, progress_bars, stdout
from kuimen.foundation.errors import TamperError


class RowsAlteredError(TamperError):
    """Rows of the vault were altered, removed, or put back to an earlier state past the platform."""

    code = "keys.rows_altered"


@click.command("verify-rows")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@unlock_options
@home_option
def verify_rows(
    *, as_json: bool, credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome
) -> None:
    """核对行封 Check every row of the vault against its seal and the audit log; reads everything, changes nothing."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.gate.vault.rows import verifying

        with progress_bars(visible=not as_json) as advance:
            report = verifying.verify_rows(actor=operator(), advance=lambda done: advance("核对行封 Rows", done, done))
    if as_json:
        facts = {"rows": report.rows, "unsealed": report.unsealed, "empty": report.empty, "put_back": report.put_back}
        emit_json({**facts, "altered": [str(one) for one in report.altered], "sound": report.sound})
    else:
        _show(report.rows, report.unsealed, report.put_back)
    if not report.sound:
        named = ", ".join(str(one) for one in report.altered[:5]) or "none"
        raise RowsAlteredError(
            f"{len(report.altered)} rows do not fit their seal (first records: {named}), {report.empty} lost all their "
            f"fields, and the seals of {len(report.put_back)} tables differ from the audit log; the alarm is recorded"
        )


def _show(rows: int, unsealed: int, put_back: dict[str, int]) -> None:
    stdout.print(f"已核对 Checked: {rows:,} 行 rows，未封 unsealed {unsealed:,}", highlight=False)
    for place, missing in put_back.items():
        stdout.print(f"  {place}: 较审计日志少 fewer than recorded: {missing:,}", highlight=False, markup=False)
