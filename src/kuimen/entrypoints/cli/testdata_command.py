"""`kuimen testdata`: plan and make test data of a database or of CSV files. Needs no installation; one records it."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kuimen.entrypoints.cli.installed import home_option, operator
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, progress_bars, stdout, table
from kuimen.foundation.errors import InvalidInputError
from kuimen.kernels.elements.overlay import FICTITIOUS_OVERLAY

if TYPE_CHECKING:
    from kuimen.sources.testdata import TestDataPlan, TestDataReport

LARGEST_SEED = 4096
SMALLEST_SEED = 16
TREATMENT_ZH = {
    "identifier": "虚构号码 fictitious number", "name": "虚构姓名 fictitious name", "birth": "随虚构身份 of the person",
    "sex": "随虚构身份 of the person", "vocabulary": "按分布抽取 drawn", "fact": "平移、缩放或保留小词表 moved or kept",
    "key": "换键 new key", "code": "无义代码 code", "sentence": "测试文本 text", "answer": "测试答案 answer",
    "expiry": "虚构有效期 expiry", "location": "虚构位置 location", "picture": "空白图片 picture",
    "empty": "置空 empty",
}  # fmt: skip


class SeedFileError(InvalidInputError):
    """The seed file is missing or holds too little."""

    code = "cli.seed_file"


class ChoiceError(InvalidInputError):
    """A `--set` is not written as COLUMN=TREATMENT."""

    code = "cli.testdata_set"


def _source_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add what both commands take."""

    @click.option("--source", required=True, help="PostgreSQL address (postgresql://…), a folder or a CSV file.")
    @click.option(
        "--source-credentials", type=click.Path(path_type=Path), help="File (0600) with user=… and password=…."
    )
    @click.option("--overlay", type=click.Choice(["fictitious"]), help="Recognise the demonstration's identities.")
    @click.option("--set", "choices", multiple=True, metavar="COLUMN=TREATMENT", help="A treatment or element instead.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
    @home_option
    @wraps(command)
    def run(**given: object) -> None:
        command(**given)

    return run


@click.group()
def testdata() -> None:
    """测试数据 Test data: valid in form, impossible in fact, proven to hold nothing of the original."""


@testdata.command("plan")
@_source_options
def plan_command(
    *,
    source: str,
    source_credentials: Path | None,
    overlay: str | None,
    choices: tuple[str, ...],
    as_json: bool,
    home: InstallationHome,
) -> None:
    """列出每一列如何生成 Show what would be made of every column; nothing is written."""
    from kuimen.sources.testdata import Place, plan_test_data

    with progress_bars(visible=not as_json) as advance:
        made = plan_test_data(
            Place(location=source, credentials_file=source_credentials),
            overlay=_overlay(home, overlay),
            chosen=_chosen(choices),
            progress=advance,
        )
    _show_plan(made, as_json=as_json)
    made.require_free()


@testdata.command("make")
@_source_options
@click.option("--to", "target", required=True, help="PostgreSQL address of a test database, or an empty folder.")
@click.option("--target-credentials", type=click.Path(path_type=Path), help="File (0600) with user=… and password=….")
@click.option(
    "--seed-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Secret bytes, at least 16: the same data give the same package. Without it a key is drawn and forgotten.",
)
@click.option(
    "--mobile-range",
    "mobile_ranges",
    multiple=True,
    help="Further prefix of mobiles that nobody can have, for example an unopened segment.",
)
def make_command(  # noqa: PLR0913 - one argument an option
    *,
    source: str,
    source_credentials: Path | None,
    overlay: str | None,
    choices: tuple[str, ...],
    as_json: bool,
    home: InstallationHome,
    target: str,
    target_credentials: Path | None,
    seed_file: Path | None,
    mobile_ranges: tuple[str, ...],
) -> None:
    """生成并复查测试数据 Make test data, search them for originals, and hand them over when none is left."""
    from kuimen.kernels.fabrication import FictitiousRanges
    from kuimen.sources.testdata import Place, make_test_data

    seed = _seed(seed_file) if seed_file is not None else None
    with progress_bars(visible=not as_json) as advance:
        report = make_test_data(
            Place(location=source, credentials_file=source_credentials),
            Place(location=target, credentials_file=target_credentials),
            seed=seed,
            overlay=_overlay(home, overlay),
            chosen=_chosen(choices),
            ranges=FictitiousRanges(mobiles=(*sorted(FICTITIOUS_OVERLAY.segments), *mobile_ranges)),
            progress=advance,
        )
    _show_report(report, as_json=as_json)
    if home.initialised:
        from kuimen.entrypoints.installation.install import opened

        with opened(home):
            from kuimen.governance.releases import services

            services.record_test_data(report, actor=operator())


def _overlay(home: InstallationHome, named: str | None) -> str | None:
    if named is None and home.initialised:
        from kuimen.entrypoints.installation import config

        return config.load(home).overlay or None
    return named


def _chosen(choices: tuple[str, ...]) -> dict[str, str]:
    pairs = [choice.partition("=") for choice in choices]
    if any(not name or not treatment for name, _, treatment in pairs):
        raise ChoiceError("--set: write COLUMN=TREATMENT, for example t_loan.remark=empty")
    return {name: treatment for name, _, treatment in pairs}


def _seed(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            seed = stream.read(LARGEST_SEED)
    except OSError:
        raise SeedFileError("--seed-file: cannot be read; check path and mode") from None
    if len(seed) < SMALLEST_SEED:
        raise SeedFileError(f"--seed-file: holds less than {SMALLEST_SEED} bytes; draw it from a random source")
    return seed


def _show_plan(made: "TestDataPlan", *, as_json: bool) -> None:
    shown = table(f"测试数据方案 Plan: {made.label}", "表 Table", "列 Column", "要素 Element", "生成方式 Treatment")
    for part in made.tables:
        for column in part.spec.columns:
            element = column.element.value if column.element else ""
            if as_json:
                emit_json(
                    {"step": "plan", "table": part.name, "column": column.name, "element": element or None,
                     "treatment": column.treatment.value}
                )  # fmt: skip
            shown.add_row(part.name, column.name, element or "—", TREATMENT_ZH[column.treatment.value])
    if not as_json:
        stdout.print(shown)
    for kind, texts in (("note", made.notes), ("blocker", made.blockers)):
        for text in texts:
            if as_json:
                emit_json({"step": kind, "text": text})
            else:
                word = "[red]受阻 blocker[/]" if kind == "blocker" else "[yellow]注意 note[/]"
                stdout.print(f"{word} {text}", highlight=False)


def _show_report(report: "TestDataReport", *, as_json: bool) -> None:
    proof = report.proof
    if as_json:
        emit_json(
            {"step": "made", "source": report.label, "target": report.target, "rows": dict(report.rows),
             "columns": report.columns, "rules_not_kept": list(report.rules_not_kept),
             "seconds": round(report.seconds, 1), "repeatable": report.repeatable, "package": report.fingerprint}
        )  # fmt: skip
        emit_json(
            {"step": "proof", "needles_raw": proof.needles_raw, "needles_cell": proof.needles_cell,
             "too_short": proof.too_short, "bytes_searched": proof.bytes_searched, "residual": proof.residual}
        )  # fmt: skip
        return
    shown = table(f"已生成 Made: {report.target}", "表 Table", "行 Rows")
    for name, rows in report.rows.items():
        shown.add_row(name, f"{rows:,}")
    stdout.print(shown)
    total = sum(report.rows.values())
    stdout.print(
        f"共 {total:,} 行 rows, {report.columns} 列 columns, {report.seconds:.1f} s "
        f"({total / max(report.seconds, 0.001):,.0f} 行/秒 rows/s)",
        highlight=False,
    )
    stdout.print(
        f"残留复查 proof: 逐字节 by bytes {proof.needles_raw:,}, 逐格 by cells {proof.needles_cell:,}, "
        f"残留 residual {proof.residual}; 过短不检 too short to tell {proof.too_short:,}",
        highlight=False,
    )
    for text in report.rules_not_kept:
        stdout.print(f"[yellow]未保持的约束 rule not kept[/] {text}", highlight=False)
    key = "种子可重现 repeatable by its seed" if report.repeatable else "密钥已弃，不可还原 key drawn and forgotten"
    stdout.print(f"包 package {report.fingerprint}: {key}", highlight=False)
