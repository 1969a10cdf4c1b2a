"""The planner's verdicts at the terminal: one row an index, the measures, and why it is refused."""

from collections.abc import Sequence
from dataclasses import asdict

from kuimen.entrypoints.terminal.output import stdout, table
from kuimen.gate.vault.part_rules import PART_TITLES
from kuimen.gate.vault.parts.leakage import told
from kuimen.gate.vault.parts.planner import Plan
from kuimen.kernels.elements import ELEMENT_TABLE


def plan_facts(plans: Sequence[Plan]) -> list[dict[str, object]]:
    """Return the plans as plain values."""
    return [
        {
            "index": one.name.text,
            "admitted": one.admitted,
            "reasons": [flaw.value for flaw in one.flaws],
            "told": [told(flaw, one.measures) for flaw in one.flaws],
            "unopened": one.unopened,
            "measures": asdict(one.measures),
        }
        for one in plans
    ]


def show_plans(plans: Sequence[Plan]) -> None:
    """Print the measures, then every refusal with its reason."""
    shown = table(
        "索引评估 Plan of indexes", "索引 index", "结论", "人数 people", "取值 values", "最大占比 top", "最小熵 bits",
        "标签 bits", "每次解封 opened", "频率可认出 named",
    )  # fmt: skip
    for one in plans:
        measures = one.measures
        shown.add_row(
            f"{ELEMENT_TABLE[one.name.element].title_zh}·{PART_TITLES[one.name.part][0]} {one.name.text}",
            "可建" if one.admitted else "拒绝",
            f"{measures.people:,}", f"{measures.values:,}", f"{measures.top_share:.2%}",
            f"{measures.min_entropy_bits:.1f}", str(measures.bits), f"{measures.per_search:,.1f}",
            f"{measures.named:.2%}",
        )  # fmt: skip
    stdout.print(shown)
    for one in plans:
        for flaw in one.flaws:
            chinese, english = told(flaw, one.measures)
            stdout.print(f"{one.name.text}：{chinese}。{english}.")
