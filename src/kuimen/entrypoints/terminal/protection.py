"""Print plans and reports of protection, for people and as JSON lines."""

from typing import TYPE_CHECKING

from rich.console import Console

from kuimen.entrypoints.terminal.output import emit_json, stdout, table

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
    _show_links(made, as_json=as_json, to=to)
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


def _show_links(made: "ProtectionPlan", *, as_json: bool, to: Console) -> None:
    """Print how the rows of each table reach their person, and which of the links nobody declared."""
    linked = [(part, part.link) for part in made.tables if part.link is not None]
    if as_json:
        for part, link in linked:
            emit_json(
                {"step": "link", "table": f"{part.schema}.{part.name}", "to": f"{link.schema}.{link.table}",
                 "columns": list(link.columns), "declared": link.declared}
            )  # fmt: skip
        return
    if not linked:
        return
    shown = table("归属 How rows reach their person", "表 Table", "经由列 By", "到 To", "依据 Because")
    for part, link in linked:
        because = "外键声明 declared key" if link.declared else "[yellow]同名列推断，请核对 guessed, look at it[/]"
        shown.add_row(f"{part.schema}.{part.name}", ", ".join(link.columns), f"{link.schema}.{link.table}", because)
    to.print(shown)
    if any(not link.declared for _, link in linked):
        to.print(
            "[yellow]推断的归属若有误，其个人信息会归到错误的人名下；请先在源库声明外键，或接受后再继续"
            "（a wrong guess puts values under the wrong person: declare the key first, or accept it）[/]"
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
    for searched in proof.places:
        shown.add_row(searched.name, f"{searched.files:,}", f"{searched.bytes:,}", f"{searched.hits:,}")
    to.print(shown)
    to.print(
        f"原值 needles: raw {proof.needles_raw:,}, re-scan {proof.needles_rescan:,}; "
        f"残留 residual {proof.residual_clear_values:,}"
    )
    for text in proof.not_covered:
        to.print(f"[dim]未覆盖 not covered:[/] {text}", highlight=False)
