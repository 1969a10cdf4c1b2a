"""`kuimen protect`: move the personal data of a source into the vault, scrub the source, prove that nothing is left."""

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from kuimen.entrypoints.cli.installed import home_option, operator, unlock_options, unlocked
from kuimen.entrypoints.cli.output import emit_json, progress_bars, stdout, table
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.foundation.errors import TamperError

if TYPE_CHECKING:
    from kuimen.governance.protection.services import ProofReport, ProtectionPlan, ProtectReport, ScrubReport

ACTION_ZH = {
    "seal": "加密 seal",
    "follow": "随主表引用 follow the parent",
    "destroy": "销毁 destroy",
    "derived": "派生列删除 derived, dropped",
    "dissociate": "去关联保留 keep, dissociated",
    "leave": "保留 leave",
    "blocked": "受阻 blocked",
}


class ResidueError(TamperError):
    """Clear values were found after protection."""

    code = "protect.residue"


@click.command()
@click.option("--source", required=True, help="PostgreSQL address (postgresql://…) or a folder.")
@click.option(
    "--source-credentials",
    type=click.Path(path_type=Path),
    help="File (0600) with user=… and password=… of the database, a line each.",
)
@click.option(
    "--folder",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path, exists=True),
    help="Search these folders for the same originals too.",
)
@click.option("--yes", is_flag=True, help="Do not ask before the clear columns are dropped.")
@click.option("--no-scrub", is_flag=True, help="Leave out the clean-up procedure; the proof will then find residues.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a step; implies --yes.")
@unlock_options
@home_option
def protect(  # noqa: PLR0913 - one option each
    *, source: str, source_credentials: Path | None, folders: tuple[Path, ...], yes: bool, no_scrub: bool,
    as_json: bool, credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """Seal, verify, cut over, scrub, prove. A run that was stopped is resumed by starting it again."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from django.conf import settings

        from kuimen.governance.protection import services

        actor = operator()
        with progress_bars(visible=not as_json) as advance:
            made = services.plan(
                source, actor=actor, credentials_file=source_credentials, overlay=settings.KUIMEN_OVERLAY or None,
                progress=lambda done, total, _name: advance("扫描 scan", done, total),
            )  # fmt: skip
        show_plan(made, as_json=as_json)
        if not (yes or as_json):
            click.confirm(
                "明文列将移入保险库并删除。继续？ Values move into the vault, clear columns are dropped. Go on?",
                abort=True,
            )
        with progress_bars(visible=not as_json) as advance:
            done_report = services.protect(made, actor=actor, progress=lambda d, t, _n: advance("加密 seal", d, t))
            scrubbed = (
                None
                if no_scrub
                else services.scrub(made, actor=actor, progress=lambda d, t, _n: advance("清除 scrub", d, t))
            )
            proof = services.prove(
                made, actor=actor, folders=folders, progress=lambda d, t, _n: advance("检索 prove", d, t)
            )
    show_reports(done_report, scrubbed, proof, as_json=as_json)
    if proof.residual_clear_values:
        raise ResidueError("clear values are left; the report names the places, run scrub with more rights or by hand")


def show_plan(made: "ProtectionPlan", *, as_json: bool, to: Console = stdout) -> None:
    """Print what will happen to every column, and what stands in the way."""
    if as_json:
        emit_json(
            {"step": "plan", "columns_to_seal": made.columns_to_seal, "columns_to_destroy": made.columns_to_destroy}
        )
    else:
        shown = table(f"保护方案 Plan: {made.label}", "表 Table", "列 Column", "要素 Element", "处置 Action")
        kept = 0
        for part in made.tables:
            for column in part.columns:
                if column.action.value == "leave":
                    kept += 1
                    continue
                shown.add_row(
                    f"{part.schema}.{part.name}", column.name, column.element or "—", ACTION_ZH[column.action.value]
                )
        for file in made.files:
            shown.add_row(file.name, "", ", ".join(file.elements), "遮盖重写 rewrite redacted")
        to.print(shown)
        to.print(f"其余 {kept} 列不含个人信息，保留 ({kept} other columns hold no personal data and stay)")
    for finding in made.findings:
        if as_json:
            emit_json(
                {
                    "step": "finding",
                    "severity": finding.severity.value,
                    "place": finding.place,
                    "text_en": finding.message_en,
                }
            )
        else:
            to.print(
                f"[yellow]{finding.severity.value}[/] {finding.place}: {finding.message_zh} ({finding.message_en})",
                highlight=False,
            )


def show_reports(
    done: "ProtectReport", scrubbed: "ScrubReport | None", proof: "ProofReport", *, as_json: bool, to: Console = stdout
) -> None:
    """Print what was done, step by step, and what nobody could look at."""
    if as_json:
        emit_json(
            {"step": "protect", "values_sealed": done.values_sealed, "values_verified": done.values_verified,
             "values_destroyed": done.values_destroyed, "blocked": [list(item) for item in done.blocked]}
        )  # fmt: skip
        for step in scrubbed.steps if scrubbed else ():
            emit_json({"step": "scrub", "name": step.name, "state": step.state.value, "todo_en": step.todo_en})
        emit_json(
            {"step": "prove", "needles_raw": proof.needles_raw, "needles_rescan": proof.needles_rescan,
             "residual_clear_values": proof.residual_clear_values, "not_covered": list(proof.not_covered)}
        )  # fmt: skip
        return
    to.print(
        f"加密 sealed {done.values_sealed:,}，核对 verified {done.values_verified:,}，"
        f"销毁 destroyed {done.values_destroyed:,}"
    )
    for place, reason in done.blocked:
        to.print(f"[yellow]未完成 not done[/] {place}: {reason}", highlight=False)
    if scrubbed is not None:
        shown = table("清除 Scrub", "步骤 Step", "结果 Result", "说明 Detail")
        for step in scrubbed.steps:
            shown.add_row(f"{step.title_zh} {step.title_en}", step.state.value, step.todo_zh or step.detail)
        to.print(shown)
    shown = table("残留检索 Proof", "位置 Place", "文件 Files", "字节 Bytes", "命中 Hits")
    for place in proof.places:
        shown.add_row(place.name, f"{place.files:,}", f"{place.bytes:,}", f"{place.hits:,}")
    to.print(shown)
    to.print(
        f"原值 needles: raw {proof.needles_raw:,}, re-scan {proof.needles_rescan:,}; "
        f"残留 residual {proof.residual_clear_values:,}"
    )
    for text in proof.not_covered:
        to.print(f"[dim]未覆盖 not covered:[/] {text}", highlight=False)
