"""What `kuimen migrate-table` prints: places, names and counts, never a value."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kuimen.entrypoints.terminal.output import emit_json, stdout, table

if TYPE_CHECKING:
    from kuimen.governance.changeover.jobs import ChangeoverView
    from kuimen.governance.changeover.proving import LeftoverReport

STATES = {
    "planned": "已计划 planned",
    "following": "跟随中 following",
    "verified": "已核对 verified",
    "cut_over": "已切换 cut over",
    "scrubbing": "清除中 scrubbing",
    "done": "已完成 done",
    "abandoned": "已放弃 abandoned",
}


def show_change(view: "ChangeoverView", *, as_json: bool) -> None:
    """Print a plan: columns, what takes their place, what to know, what stands in the way."""
    made = view.plan
    if as_json:
        emit_json(
            {
                "changeover": str(view.changeover_id),
                "state": view.state.value,
                "table": made.place,
                "rows": made.rows,
                "bytes": made.bytes,
                "key": list(made.key),
                "columns": [
                    {"name": one.name, "element": one.element, "sealed": one.sealed, "index": one.index}
                    for one in made.columns
                ],
                "blockers": [remark.message_en for remark in made.blockers],
                "warnings": [remark.message_en for remark in made.remarks if not remark.blocker],
            }
        )
        return
    shown = table(
        f"换列 Changeover {view.changeover_id}: {made.label} {made.place}",
        "列 Column", "类型 Type", "要素 Element", "密文列 Sealed", "盲索引 Index", "空 Null", "唯一 Unique",
    )  # fmt: skip
    for one in made.columns:
        shown.add_row(
            one.name, one.type, one.element, one.sealed, one.index or "—",
            "是 yes" if one.nullable else "否 no", "是 yes" if one.unique else "—",
        )  # fmt: skip
    stdout.print(shown)
    stdout.print(
        f"{STATES[view.state.value]}；约 {made.rows:,} 行 rows，{made.bytes / 1_048_576:,.1f} MiB，"
        f"行键 row key {', '.join(made.key) or '—'}，应用 application {made.application}",
        highlight=False,
    )
    for remark in made.remarks:
        mark = "[red]阻断 blocker[/]" if remark.blocker else "[yellow]注意 note[/]"
        stdout.print(f"{mark} {remark.message_zh} ({remark.message_en})", highlight=False)


def show_facts(view: "ChangeoverView | None", facts: Mapping[str, object], *, as_json: bool) -> None:
    """Print where a changeover stands, and counts."""
    if as_json:
        named = {} if view is None else {"changeover": str(view.changeover_id), "state": view.state.value}
        emit_json({**named, **facts})
        return
    if view is not None:
        stdout.print(f"{view.changeover_id} {view.plan.place}: {STATES[view.state.value]}", highlight=False)
    for name, value in facts.items():
        stdout.print(f"  {name}: {value:,}" if isinstance(value, int) else f"  {name}: {value}", highlight=False)


def show_leftovers(view: "ChangeoverView", report: "LeftoverReport", *, as_json: bool) -> None:
    """Print the steps of the clean-up and what the search found."""
    if as_json:
        emit_json(
            {
                "changeover": str(view.changeover_id),
                "state": view.state.value,
                "steps": {step.name: step.state.value for step in report.steps},
                "needles": report.needles,
                "hits": report.hits,
                "places": {place.name: place.hits for place in report.places},
                "not_covered": list(report.not_covered),
            }
        )
        return
    show_facts(view, {}, as_json=False)
    for step in report.steps:
        stdout.print(f"  {step.title_zh} {step.title_en}: {step.state.value} {step.detail}", highlight=False)
        if step.todo_zh:
            stdout.print(f"    [yellow]{step.todo_zh} ({step.todo_en})[/]", highlight=False)
    shown = table(
        f"检索 {report.needles:,} 个原值 originals searched",
        "处 Place",
        "文件 Files",
        "MiB",
        "命中 Hits",
        "计入 Counts",
    )
    for place in report.places:
        shown.add_row(
            place.name, f"{place.files:,}", f"{place.bytes / 1_048_576:,.1f}", f"{place.hits:,}",
            "是 yes" if place.counts else "否，其他表 no, other tables",
        )  # fmt: skip
    stdout.print(shown)
    for reason in report.not_covered:
        stdout.print(f"  未覆盖 not covered: {reason}", highlight=False)
