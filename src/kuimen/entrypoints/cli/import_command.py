"""`kuimen import`: loans of a protected source into the ledger, against totals that the operator declares."""

import re
from pathlib import Path

import click

from kuimen.entrypoints.cli.installed import home_option, operator
from kuimen.entrypoints.cli.signed_in import signed_in, token_option
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, stdout, table
from kuimen.foundation.errors import InvalidInputError

CONTROL = re.compile(r"([a-z_]+)=([0-9]{1,18})\Z")
LEAST_SUMS = ("principal", "balance")


class ControlTotalError(InvalidInputError):
    """A control total was not written as FIELD=CENTS, names no field, or a compulsory one is missing."""

    code = "import.control_total"


class ImportOptionError(InvalidInputError):
    """An option that every import needs is missing."""

    code = "import.option"


@click.command("import")
@click.option("--source", help="受保护数据源地址 PostgreSQL address of the protected source.")
@click.option(
    "--source-credentials", type=click.Path(path_type=Path),
    help="数据库用户与口令文件（0600） File with user=… and password=… of the database.",
)  # fmt: skip
@click.option("--mapping", type=click.Path(path_type=Path, dir_okay=False), help="映射文件 Mapping file (YAML).")
@click.option("--name", help="数据源名称，写入依据 Name of the source in legal bases; by default the database's.")
@click.option("--count", type=click.IntRange(min=0), help="申报笔数 Number of loans that are to come in.")
@click.option(
    "--cents", "sums", multiple=True, metavar="FIELD=CENTS",
    help="申报合计（分），principal 与 balance 必填 Sum in cents; principal and balance are compulsory.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="只读取并核对，不入账 Read and compare, import nothing.")
@click.option("--example", is_flag=True, help="打印带注释的映射样例 Print an annotated mapping and stop.")
@click.option("--json", "as_json", is_flag=True, help="一行 JSON 结果 The result as one JSON object.")
@token_option(required=False)
@home_option
def import_(  # noqa: PLR0913 - one option each
    *, source: str | None, source_credentials: Path | None, mapping: Path | None, name: str | None, count: int | None,
    sums: tuple[str, ...], dry_run: bool, example: bool, as_json: bool, token_file: Path | None,
    home: InstallationHome,
) -> None:  # fmt: skip
    """借款入账，按申报笔数与金额逐分核对 Import loans, reconciled to the cent with declared totals.

    Three counts must agree: what you declare, what the source's own database sums up, what arrives in the ledger.
    Anything else imports nothing.
    """
    if example:
        from kuimen.ledger.intake_mapping import example_mapping

        click.echo(example_mapping())
        return
    if source is None or mapping is None:
        raise ImportOptionError("--source and --mapping are needed; `kuimen import --example` prints a mapping")
    cents = control_sums(sums)
    if not dry_run and (count is None or not set(LEAST_SUMS) <= set(cents)):
        raise ControlTotalError(
            "--count and --cents principal=… --cents balance=…: declare what is to come in, from the lender's own "
            "books; --dry-run shows what the source says"
        )
    from kuimen.entrypoints.installation.install import opened

    with opened(home):
        _run(
            source, mapping, credentials=source_credentials, name=name or database_name(source), count=count,
            cents=cents, dry_run=dry_run, token_file=token_file, as_json=as_json,
        )  # fmt: skip


def control_sums(given: tuple[str, ...]) -> dict[str, int]:
    """Return declared sums in cents by field.

    Raises:
        ControlTotalError: one is not FIELD=CENTS, or names no field of money.
    """
    from kuimen.ledger.loans.rules import MONEY_FIELDS

    sums: dict[str, int] = {}
    for text in given:
        found = CONTROL.match(text)
        if found is None or found[1] not in MONEY_FIELDS:
            raise ControlTotalError(f"--cents: write FIELD=CENTS, a whole number; fields: {', '.join(MONEY_FIELDS)}")
        sums[found[1]] = int(found[2])
    return sums


def database_name(source: str) -> str:
    """Return the name of the database in an address."""
    from kuimen.sources.opening import connection_parameters

    return connection_parameters(source).get("dbname", "source")


def _run(  # noqa: PLR0913 - what the options say
    source: str, mapping: Path, *, credentials: Path | None, name: str, count: int | None, cents: dict[str, int],
    dry_run: bool, token_file: Path | None, as_json: bool,
) -> None:  # fmt: skip
    from kuimen.gate.access import services as access
    from kuimen.gate.access.rules import Action, Resource
    from kuimen.ledger.intake import IntakeMapping, open_loan_source
    from kuimen.ledger.loans import services as loans
    from kuimen.ledger.loans.rules import MONEY_FIELDS, DeclaredTotals

    actor = operator()
    if token_file is not None:
        subject = signed_in(token_file)
        access.require(subject, Action.LEDGER_IMPORT, Resource(kind="source", ref=name))
        actor = access.actor_of(subject)
    where = IntakeMapping.from_yaml(mapping)
    with open_loan_source(source, where, credentials_file=credentials) as opened_source:
        opened_source.check_names()
        totals = opened_source.totals()
        found = {field: int(getattr(totals, field) * 100) for field in MONEY_FIELDS}
        if dry_run:
            declared = DeclaredTotals(count=totals.count if count is None else count, cents=cents)
            _show(
                {"source": name, "count": totals.count, **{f"{field}_cents": sum_ for field, sum_ in found.items()},
                 "differences": list(declared.differences(totals)), "imported": False},
                as_json=as_json,
            )  # fmt: skip
            return
        report = loans.import_loans(
            opened_source.rows(), source_id=name, totals=totals, actor=actor,
            declared=DeclaredTotals(count=count or 0, cents=cents),
        )  # fmt: skip
    _show(
        {"source": name, "count": totals.count, **{f"{field}_cents": sum_ for field, sum_ in found.items()},
         "imported": True, "created": report.created, "updated": report.updated, "unchanged": report.unchanged,
         "customers": report.customers, "instalments": report.instalments, "transactions": report.transactions,
         "legal_bases": report.legal_bases, "rounded": opened_source.rounded},
        as_json=as_json,
    )  # fmt: skip


TITLES = {
    "source": "数据源 Source",
    "count": "笔数 Loans",
    "principal_cents": "本金（分） Principal, cents",
    "balance_cents": "余额（分） Balance, cents",
    "paid_principal_cents": "已还本金（分） Principal repaid, cents",
    "paid_interest_cents": "已还利息（分） Interest paid, cents",
    "paid_late_fees_cents": "已还罚息（分） Late fees, cents",
    "differences": "与申报的差异 Differences",
    "imported": "已入账 Imported",
    "created": "新增 New",
    "updated": "更新 Changed",
    "unchanged": "未变 Unchanged",
    "customers": "新客户引用 New customers",
    "instalments": "分期 Instalments",
    "transactions": "流水 Postings",
    "legal_bases": "合同依据 Legal bases",
    "rounded": "四舍五入 Rounded to the cent",
}


def _show(result: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        emit_json(result)
        return
    made = table("借款入账 Import", "项目 Item", "结果 Result")
    for name, value in result.items():
        shown = "；".join(map(str, value)) or "无 none" if isinstance(value, list) else value
        whole = isinstance(shown, int) and not isinstance(shown, bool)
        made.add_row(TITLES.get(name, name), f"{shown:,}" if whole else str(shown))
    stdout.print(made)
