"""`kuimen cases`: bring the collection queue in line with the ledger."""

from pathlib import Path

import click

from kuimen.entrypoints.cli.installed import home_option
from kuimen.entrypoints.cli.signed_in import signed_in, token_option
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, stdout, table


@click.group()
def cases() -> None:
    """催收案件 Collection cases."""


@cases.command()
@click.option("--json", "as_json", is_flag=True, help="一行 JSON 结果 The result as one JSON object.")
@token_option(required=False)
@home_option
def build(*, as_json: bool, token_file: Path | None, home: InstallationHome) -> None:
    """按台账中真实逾期的借款建案 Build cases from really overdue loans; settle those that are in order again."""
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        from kuimen.scenarios.collections import services

        report = services.build_cases(signed_in(token_file) if token_file else None)
    if as_json:
        emit_json(
            {"created": report.created, "settled": report.settled, "open": report.open,
             "by_status": dict(sorted(report.open_by_bucket.items())), "without_basis": report.without_basis}
        )  # fmt: skip
        return
    made = table(f"案件 Cases: {report.open}", "逾期段 Status", "件数 Cases")
    for bucket, number in sorted(report.open_by_bucket.items()):
        made.add_row(bucket, f"{number:,}")
    stdout.print(made)
    counts = f"新建 created {report.created}，结清 settled {report.settled}"
    stdout.print(f"{counts}，无合同依据 without basis {report.without_basis}")
