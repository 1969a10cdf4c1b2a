"""Findings of a plan: what the operator should know before it happens. Pure."""

from collections.abc import Sequence

from kuimen.governance.protection.catalogue import TableFacts
from kuimen.governance.protection.plan import PlanFinding, TablePlan
from kuimen.governance.protection.rules import Severity
from kuimen.sources.marks import ROW_KEY_COLUMN
from kuimen.sources.relations import RelationInfo, RelationKind
from kuimen.sources.scan import ScanRow


def finding(severity: Severity, place: str, message_zh: str, message_en: str) -> PlanFinding:
    """Return one finding."""
    return PlanFinding(severity=severity, place=place, message_zh=message_zh, message_en=message_en)


def note_unread(relations: Sequence[RelationInfo], scan: Sequence[ScanRow], findings: list[PlanFinding]) -> None:
    """Name what was not read, and materialised views that hold personal data."""
    for row in scan:
        if row.state == "not_read":
            place = ".".join(part for part in (row.schema, row.table, row.file, row.column) if part)
            findings.append(
                finding(Severity.WARNING, place or row.source, f"未读取：{row.reason}", f"not read: {row.reason}")
            )
    findings.extend(
        finding(
            Severity.WARNING,
            f"{relation.schema}.{relation.name}",
            "物化视图含个人信息，将随基表重建为脱敏内容",
            "a materialised view holds personal data; it is rebuilt from masked content with its table",
        )
        for relation in relations
        if relation.kind is RelationKind.MATERIALISED
        and any(row.element for row in scan if (row.schema, row.table) == (relation.schema, relation.name))
    )


def note_table(plan: TablePlan, facts: TableFacts, findings: list[PlanFinding]) -> None:
    """Name missing rights, added keys and triggers of one table."""
    if plan.removed and not facts.may_create:
        findings.append(
            finding(
                Severity.BLOCKER,
                plan.place,
                "当前角色不能在该模式中建触发器函数和视图，请授予 CREATE",
                "this role may not create a function and a view in the schema; grant CREATE on it",
            )
        )
    if plan.adds_row_key:
        findings.append(
            finding(
                Severity.NOTE,
                plan.place,
                f"没有可用主键，添加列 {ROW_KEY_COLUMN}",
                f"no usable key; column {ROW_KEY_COLUMN} is added",
            )
        )
    if facts.user_triggers and plan.removed:
        findings.append(
            finding(
                Severity.NOTE,
                plan.place,
                f"表上有 {len(facts.user_triggers)} 个触发器，引用已删除的列时需修改",
                f"{len(facts.user_triggers)} triggers on the table; change those that use a dropped column",
            )
        )
