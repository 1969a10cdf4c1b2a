"""`kuimen assess`: run every control against the live system and set the report."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kuimen.entrypoints.cli.installed import home_option, operator, unlock_options, unlocked
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, progress_bars, stdout, table

if TYPE_CHECKING:
    from kuimen.assessment.reading import AssessmentView


@click.command()
@click.option("--json", "as_json", is_flag=True)
@unlock_options
@home_option
def assess(*, as_json: bool, credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome) -> None:
    """逐条评估并出具报告 Run every implemented control; what nobody looked at stays "not assessed"."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.assessment import services
        from kuimen.assessment.report import report_file

        with progress_bars(visible=not as_json) as advance:
            found = services.run_assessment(
                operator(), progress=lambda done, total, _clause: advance("运行控制项 controls", done, total)
            )
        path = report_file(found.assessment_id)
        if as_json:
            emit_json(
                {
                    "number": found.number,
                    "clauses_total": found.clauses_total,
                    "clauses_assessed": found.clauses_assessed,
                    "verdicts": {verdict.value: count for verdict, count in found.verdicts.items()},
                    "report_pdf": str(path),
                }
            )
            return
        print_assessment(found)
        stdout.print(f"报告 Report: {path}", highlight=False)


def print_assessment(found: "AssessmentView") -> None:
    """Print the verdicts by list and the clauses that fail."""
    from kuimen.assessment.rules import Verdict

    made = table(f"评估 Assessment {found.number}", "标准 Standard", *(verdict.title_zh for verdict in Verdict))
    for name, counts in found.by_list().items():
        made.add_row(name, *(str(counts.get(verdict, 0)) for verdict in Verdict))
    stdout.print(made)
    for item in found.clauses:
        if item.verdict is Verdict.NONCONFORM:
            stdout.print(
                f"[red]不符合[/] {item.clause.id} {item.clause.title_zh}: {item.finding.remedy_zh}", highlight=False
            )
