"""`kuimen scan`: find personal data in a database or folder. Needs no installation; with one it feeds the inventory."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click
from rich.table import Table

from kuimen.entrypoints.cli.installed import home_option
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.name_search import tell_name_search
from kuimen.entrypoints.terminal.output import emit_json, progress_bars, stdout, table
from kuimen.foundation.errors import EXIT_CODE_PARTIAL
from kuimen.sources.opening import open_source
from kuimen.sources.rulefolder import load_rules, rule_files
from kuimen.sources.scan import ScanRow, is_partial, scan_open

CATEGORY_STYLE = {"C3": "bold red", "C2": "yellow", "C1": "cyan"}
STATE_ZH = {
    "clear": "明文 clear",
    "sealed": "已加密 sealed",
    "dissociated": "已去关联 dissociated",
    "destroyed": "已销毁 destroyed",
    "not_read": "未读取 not read",
}


@click.command()
@click.option("--source", required=True, help="Database address (postgresql://… or mysql://…), or a folder or file.")
@click.option(
    "--source-credentials",
    type=click.Path(path_type=Path),
    help="File (0600) with user=… and password=… of the database, a line each.",
)
@click.option(
    "--sample-rows",
    default=500,
    show_default=True,
    type=click.IntRange(1),
    help="Non-null values per column to look at.",
)
@click.option(
    "--overlay", type=click.Choice(["fictitious"]), help="Recognise the demonstration's impossible identities."
)
@click.option("--rules", "rule_folder", type=click.Path(path_type=Path, exists=True), help="Folder of your own rules.")
@click.option("--all", "show_all", is_flag=True, help="Show columns without personal data too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@home_option
def scan(
    *,
    source: str,
    source_credentials: Path | None,
    sample_rows: int,
    overlay: str | None,
    rule_folder: Path | None,
    show_all: bool,
    as_json: bool,
    home: InstallationHome,
) -> None:
    """识别并分级 Find and grade personal data in every column and file of a source; the output never holds a value.

    With an installation, its folder of rules holds where --rules names no other.
    Exit code 8 says that some data could not be read; the output names each place with the reason.
    """
    if overlay is None and home.initialised:
        from kuimen.entrypoints.installation import config

        overlay = config.load(home).overlay or None
    if rule_folder is None and rule_files(home.rules):
        rule_folder = home.rules
    rules = load_rules(rule_folder) if rule_folder else None
    tell_name_search()
    rows: list[ScanRow] = []
    with open_source(source, credentials_file=source_credentials) as opened_source:
        with progress_bars(visible=not as_json) as advance:
            for row in scan_open(
                opened_source,
                overlay=overlay,
                rules=rules,
                sample_rows=sample_rows,
                progress=lambda done, total, _name: advance("扫描 scanning", done, total),
            ):
                rows.append(row)
                if as_json:
                    emit_json(row.as_json())
        if not as_json:
            print_scan(rows, show_all=show_all)
        if home.initialised:
            from kuimen.entrypoints.cli.installed import feed_inventory

            feed_inventory(home, source, opened_source, rows, overlay=overlay)
    if is_partial(rows):
        raise click.exceptions.Exit(EXIT_CODE_PARTIAL)


def print_scan(rows: list[ScanRow], *, show_all: bool) -> None:
    """Print the findings as one table, and what was not read below it."""
    shown = scan_table(row for row in rows if show_all or row.element is not None)
    stdout.print(shown)
    for row in rows:
        if row.state == "not_read":
            stdout.print(
                f"[dim]未读取 not read:[/] {row.file or row.table or row.source}: {row.reason}", highlight=False
            )
    if is_partial(rows):
        stdout.print("[yellow]结果不完整：有数据未读取，见上。 Partial: data named above could not be read.[/]")
    counts = Counter(row.category for row in rows if row.element is not None)
    stdout.print(
        f"共 {len(rows)} 列或文件, 个人信息 {sum(counts.values())} ({len(rows)} columns or files, "
        f"{sum(counts.values())} personal): C3 {counts['C3']}, C2 {counts['C2']}, C1 {counts['C1']}"
    )


def scan_table(rows: Iterable[ScanRow]) -> Table:
    """Return the findings as a table."""
    made = table(
        "扫描结果 Findings", "位置 Place", "要素 Element", "类别", "级别", "可能性", "行数 Rows", "抽样", "状态 State"
    )
    for row in rows:
        place = row.file or ".".join(part for part in (row.schema, row.table) if part)
        if row.column:
            place = f"{place}.{row.column}"
        category = row.category or ""
        made.add_row(
            place,
            row.element or "—",
            f"[{CATEGORY_STYLE.get(category, 'dim')}]{category or '—'}[/]",
            str(row.level or "—"),
            row.likelihood or "—",
            f"{row.rows:,}" if row.rows >= 0 else "?",
            f"{row.sampled:,}",
            STATE_ZH.get(row.state, row.state),
        )
    return made
