"""`kuimen check`: the doctor of an installation."""

import click

from kuimen.entrypoints.cli.installed import home_option
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, stdout
from kuimen.foundation.errors import UnavailableError

STYLES = {"ok": "green", "warn": "yellow", "fail": "red"}


class UnhealthyError(UnavailableError):
    """The check found something that must be mended."""

    code = "check.failed"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@home_option
def check(*, as_json: bool, home: InstallationHome) -> None:
    """体检：目录、配置、数据库、密钥 Look at home, configuration, server settings, roles, keys, disk.

    Exit code 7 when something must be mended.
    """
    from kuimen.entrypoints.installation.check import Grade, worst
    from kuimen.entrypoints.installation.check import check as look

    findings = look(home)
    for finding in findings:
        if as_json:
            emit_json(
                {
                    "subject": finding.subject,
                    "grade": finding.grade.value,
                    "text_zh": finding.text_zh,
                    "text_en": finding.text_en,
                }
            )
        else:
            style = STYLES.get(finding.grade.value, "white")
            stdout.print(
                f"[{style}]{finding.grade.value:<4}[/] {finding.subject}: {finding.text_zh} ({finding.text_en})",
                highlight=False,
            )
    if worst(findings) is Grade.FAIL:
        raise UnhealthyError("the installation has faults that must be mended; see the lines marked fail")
