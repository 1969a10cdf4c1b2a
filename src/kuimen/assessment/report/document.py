"""What the Chinese report says: an assessment turned into plain text, numbers and lists. The template only sets it.

Every number in the report is computed here from the clauses themselves, so that text, chart and tables cannot differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kuimen.assessment.facts import fact_title
from kuimen.assessment.reading import AssessmentView, ClauseView, EvidenceView
from kuimen.assessment.rules import Conclusion, Verdict
from kuimen.foundation.clock import SHANGHAI
from kuimen.standard import Automatable, Catalogue, Outcome, Status, load_catalogue
from kuimen.standard.clauses import Chapter

Document = dict[str, Any]

_OUTCOME_ZH = {"holds": "成立", "refuted": "不成立", "insufficient": "事实不足", "not_applicable": "认为不适用"}
_SEEN_ZH = {Automatable.FULL: "机器可判", Automatable.PARTIAL: "需人复核", Automatable.MANUAL: "人工判定"}
_LONGEST_FACT = 160


def _moment(at: Any) -> str:  # noqa: ANN401 - Django types its datetimes loosely
    return str(at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"))


def _counts(found: Mapping[Verdict, int]) -> dict[str, int]:
    return {verdict.value: found[verdict] for verdict in Verdict}


def _conclusion_text(view: AssessmentView) -> str:
    counts = view.verdicts
    open_count = counts[Verdict.NOT_ASSESSED] + counts[Verdict.INSUFFICIENT]
    if view.conclusion is Conclusion.NONCONFORM:
        text = f"存在 {counts[Verdict.NONCONFORM]} 条不符合，须先整改。"
        return text + (f"另有 {open_count} 条未评估或证据不足，尚不能对其作出判断。" if open_count else "")
    if view.conclusion is Conclusion.OPEN:
        return (
            f"范围内 {view.clauses_total} 条中有 {open_count} 条未评估或证据不足，"
            "在这些条款由人工评估之前，不能对整体得出符合性结论。已作出的判定仅对相应条款有效。"
        )
    if view.conclusion is Conclusion.LARGELY:
        return f"没有不符合项，{counts[Verdict.PARTIAL]} 条部分符合，须按整改建议完善。"
    return "范围内全部条款均已评估且符合。"


def _chapter_title(chapter: Chapter) -> str:
    # An annex names itself in its title.
    is_annex = chapter.number.startswith("Annex")
    return chapter.title_zh if is_annex else f"{chapter.number} {chapter.title_zh}"


def _chapter_bars(view: AssessmentView, catalogue: Catalogue) -> list[Document]:
    bars = []
    for name in ("cqjr009", "jrt0171"):
        entry = catalogue.lists[name]
        counted = view.by_chapter(name)
        rows = [
            {"label": _chapter_title(chapter), "counts": _counts(found)}
            for chapter in entry.chapters
            if (found := counted.get(chapter.number)) is not None
        ]
        bars.append({"title": f"{entry.standard} {entry.title_zh}", "rows": rows})
    return bars


def _list_rows(view: AssessmentView, catalogue: Catalogue) -> list[Document]:
    counted = view.by_list()
    rows = []
    for name, entry in catalogue.lists.items():
        found = counted.get(name)
        if found is not None:
            title = " ".join(part for part in (entry.standard, entry.title_zh) if part)
            rows.append({"title": title, "total": sum(found.values()), "counts": _counts(found)})
    return rows


def _clause_row(entry: ClauseView) -> Document:
    clause = entry.clause
    return {
        "id": clause.id,
        "printed": clause.printed,
        "standard": clause.standard,
        "title": clause.title_zh,
        "statement": clause.statement_zh,
        "strength": "宜" if clause.strength == "should" else "应",
        "seen": _SEEN_ZH[clause.automatable],
        "verdict": entry.verdict.value,
        "reason": entry.finding.reason_zh,
        "evidence": [item.label for item in entry.evidence],
        "judged": entry.judged,
    }


def _clause_sections(view: AssessmentView, catalogue: Catalogue) -> list[Document]:
    sections = []
    for name, entry in catalogue.lists.items():
        chosen = [row for row in view.clauses if row.clause.list == name]
        groups: dict[str, list[ClauseView]] = {}
        titles = {chapter.number: _chapter_title(chapter) for chapter in entry.chapters}
        for row in chosen:
            # A list that spans many standards has no chapters: one table, with the standard in its first column.
            groups.setdefault(titles.get(row.clause.chapter, ""), []).append(row)
        title = " ".join(part for part in (entry.standard, entry.title_zh) if part)
        chapters = [{"title": key, "rows": [_clause_row(row) for row in rows]} for key, rows in groups.items()]
        sections.append({"title": title, "chapters": chapters})
    return sections


def _findings(entries: Iterable[ClauseView]) -> list[Document]:
    return [
        {
            **_clause_row(entry),
            "remedy": entry.finding.remedy_zh or "由责任部门提出整改措施",
            "facts": [line for item in entry.evidence if item.outcome == "refuted" for line in _fact_lines(item)],
        }
        for entry in entries
        if entry.verdict in (Verdict.NONCONFORM, Verdict.PARTIAL)
    ]


def _fact_lines(item: EvidenceView) -> list[str]:
    lines = []
    for seen in item.document["observations"]:
        facts = "，".join(f"{fact_title(name)} {_short(value)}" for name, value in seen["facts"].items())
        reference = f"（见 {seen['reference']}）" if seen["reference"] else ""
        lines.append(f"{seen['title_zh']}{'：' if facts else ''}{facts}{reference}")
    return lines


def _short(value: object) -> str:
    text = {True: "是", False: "否"}[value] if isinstance(value, bool) else str(value) or "无"
    return text if len(text) <= _LONGEST_FACT else text[: _LONGEST_FACT - 1] + "…"


def _evidence_rows(view: AssessmentView) -> list[Document]:
    return [
        {
            "label": item.label,
            "clause": item.clause_id,
            "title": item.document["title_zh"],
            "probe": item.probe.removeprefix("kuimen."),
            "at": _moment(item.observed_at),
            "outcome": f"未完成（{item.fault}）" if item.fault else _OUTCOME_ZH[item.outcome],
            "facts": _fact_lines(item),
            "sm3": item.sm3,
            "sha256": item.sha256,
        }
        for item in view.evidence
    ]


def _unseen(view: AssessmentView) -> list[Document]:
    open_clauses = [entry for entry in view.clauses if entry.verdict is Verdict.NOT_ASSESSED]
    outside = [entry for entry in open_clauses if entry.clause.status is Status.OUTSIDE_SOFTWARE]
    without = [entry for entry in open_clauses if entry.clause.status is not Status.OUTSIDE_SOFTWARE]
    insufficient = [entry for entry in view.clauses if entry.verdict is Verdict.INSUFFICIENT]
    broken = [entry for entry in insufficient if _broken(entry)]
    factless = [entry for entry in insufficient if not _broken(entry) and _factless(entry)]
    waiting = [entry for entry in insufficient if not _broken(entry) and not _factless(entry)]
    groups = (
        ("没有控制措施、也没有人工判定的条款", "机制尚未建成或尚无检查。不代表不符合，更不代表符合。", without),
        ("软件之外的条款", "属于物理设施、组织人事或外部机构，只能由人工评估。", outside),
        ("机器可查部分已查、其余有待人工的条款", "人工部分未查看，因此不判为符合。", waiting),
        ("检查已运行、但系统中事实不足的条款", "相关业务尚未发生或样本过少，检查不能据此判定。", factless),
        ("检查未能完成的条款", "检查过程出错，按证据不足处理，须排除故障后重新评估。", broken),
    )
    return [
        {"title": title, "note": note, "ids": [entry.clause.id for entry in entries]}
        for title, note, entries in groups
        if entries
    ]


def _factless(entry: ClauseView) -> bool:
    return any(item.outcome == Outcome.INSUFFICIENT.value for item in entry.evidence)


def _broken(entry: ClauseView) -> bool:
    return any(item.fault for item in entry.evidence)


def _overrides(catalogue: Catalogue) -> list[Document]:
    return [
        {"clause": clause.id, "rule": override.rule, "since": override.since, "note": override.note_zh}
        for clause in catalogue.clauses.values()
        for override in clause.overridden_by
    ]


def report_document(view: AssessmentView, *, classification: str = "内部") -> Document:
    """Return everything the report prints.

    Args:
        view: the assessment.
        classification: 密级 printed in the header.
    """
    catalogue = load_catalogue()
    evidence: Sequence[Document] = _evidence_rows(view)
    return {
        "number": view.number,
        "classification": classification,
        "institution": view.institution_name or "（未登记机构名称）",
        "institution_id": view.institution_id,
        "actor": f"{view.actor_label}（{view.actor_ref}）" if view.actor_label else view.actor_ref,
        "date": view.started_at.astimezone(SHANGHAI).strftime("%Y年%m月%d日"),
        "started_at": _moment(view.started_at),
        "finished_at": _moment(view.finished_at),
        "period_days": view.period_days,
        "product_version": view.product_version,
        "catalogue_version": view.catalogue_version,
        "catalogue_as_of": catalogue.as_of,
        "catalogue_note": catalogue.note_zh,
        "method": view.method,
        "snapshot_sm3": view.snapshot_sm3,
        "snapshot_sha256": view.snapshot_sha256,
        "audit_entry": str(view.audit_entry),
        "conclusion": view.conclusion.title_zh,
        "conclusion_kind": view.conclusion.value,
        "conclusion_text": _conclusion_text(view),
        "total": view.clauses_total,
        "assessed": view.clauses_assessed,
        "probes": len(evidence),
        "verdicts": [{"kind": v.value, "title": v.title_zh, "count": n} for v, n in view.verdicts.items()],
        "lists": _list_rows(view, catalogue),
        "bars": _chapter_bars(view, catalogue),
        "findings": _findings(view.clauses),
        "sections": _clause_sections(view, catalogue),
        "evidence": evidence,
        "unseen": _unseen(view),
        "overrides": _overrides(catalogue),
    }
