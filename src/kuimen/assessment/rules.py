"""How a verdict follows from what was seen. Pure: values in, verdict out.

Nothing is green by absence. A control can refute any clause, but it can confirm one only where a machine sees the whole
of it; everything else waits for a person. `METHOD` names the method and its version, so that an old assessment can be
read with the rules it was made under.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kuimen.standard import Automatable, Clause, Outcome, Status

METHOD = "kuimen-verdict/1"


class Verdict(StrEnum):
    """What is said about a clause."""

    CONFORM = "conform"
    PARTIAL = "partial"
    NONCONFORM = "nonconform"
    NOT_APPLICABLE = "not_applicable"
    NOT_ASSESSED = "not_assessed"
    INSUFFICIENT = "insufficient"

    @property
    def title_zh(self) -> str:
        """The word of Chinese assessments."""
        return _TITLES[self][0]

    @property
    def title_en(self) -> str:
        """The word in English."""
        return _TITLES[self][1]


_TITLES: Mapping[Verdict, tuple[str, str]] = {
    Verdict.CONFORM: ("符合", "conforms"),
    Verdict.PARTIAL: ("部分符合", "conforms in part"),
    Verdict.NONCONFORM: ("不符合", "does not conform"),
    Verdict.NOT_APPLICABLE: ("不适用", "not applicable"),
    Verdict.NOT_ASSESSED: ("未评估", "not assessed"),
    Verdict.INSUFFICIENT: ("证据不足", "insufficient evidence"),
}
# Verdicts that leave the question open. They never leave the denominator.
OPEN_VERDICTS = (Verdict.NOT_ASSESSED, Verdict.INSUFFICIENT)


class Conclusion(StrEnum):
    """What is said about the whole."""

    CONFORM = "conform"
    LARGELY = "largely"
    NONCONFORM = "nonconform"
    OPEN = "open"

    @property
    def title_zh(self) -> str:
        """The word of Chinese assessments."""
        return {"conform": "符合", "largely": "基本符合", "nonconform": "不符合", "open": "无法得出结论"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """What one probe said, or that it broke.

    Attributes:
        name: dotted name of the probe.
        outcome: what it found; INSUFFICIENT when it broke.
        fault: code of the error it broke with, empty when it did not. Never the error's text.
        remedy_zh: what to do, in Chinese.
        remedy_en: the same in English.
    """

    name: str
    outcome: Outcome
    fault: str = ""
    remedy_zh: str = ""
    remedy_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A verdict with the reason that a reader needs to check it.

    Attributes:
        verdict: what is said about the clause.
        reason_zh: why, in Chinese.
        reason_en: why, in English.
        remedy_zh: what to do, empty when nothing is to be done.
        remedy_en: the same in English.
    """

    verdict: Verdict
    reason_zh: str
    reason_en: str
    remedy_zh: str = ""
    remedy_en: str = ""


def _finding(verdict: Verdict, zh: str, en: str) -> Finding:
    return Finding(verdict=verdict, reason_zh=zh, reason_en=en)


def _without_probe(clause: Clause) -> Finding:
    if clause.status is Status.OUTSIDE_SOFTWARE:
        zh = f"软件之外：{clause.status_reason_zh}；待人工评估"
        en = f"outside software: {clause.status_reason_en}; a person must assess it"
    else:
        zh = f"没有控制措施查看过本条（{clause.status_reason_zh}），也没有人工判定"
        en = f"no control has looked at this clause ({clause.status_reason_en}) and no person has judged it"
    return _finding(Verdict.NOT_ASSESSED, zh, en)


def _all_hold(clause: Clause, *, count: int) -> Finding:
    if clause.automatable is not Automatable.FULL:
        zh = f"机器可查部分成立（{count} 项检查），需要人看的部分尚未查看"
        en = f"the part a machine can see holds ({count} checks); the human part was not looked at"
        return _finding(Verdict.INSUFFICIENT, zh, en)
    if clause.status is not Status.IMPLEMENTED:
        zh = f"已有检查成立（{count} 项），但只覆盖本条的一部分：{clause.status_reason_zh}"
        en = f"the checks that exist hold ({count}), but they cover a part only: {clause.status_reason_en}"
        return _finding(Verdict.INSUFFICIENT, zh, en)
    zh = f"{count} 项现场检查全部成立，且本条可完全由机器判定"
    en = f"all {count} live checks hold, and a machine can see the whole of this clause"
    return _finding(Verdict.CONFORM, zh, en)


def machine_finding(clause: Clause, reports: Sequence[ProbeReport]) -> Finding:
    """Decide what follows from the probes alone.

    Args:
        clause: the clause.
        reports: what its probes said; empty when it has none.

    Returns:
        The finding. 符合 only where every probe holds and the catalogue says that a machine sees the whole clause;
        不适用 never, for that needs a reason approved by a second person.
    """
    if not reports:
        return _without_probe(clause)
    refuting = [report for report in reports if report.outcome is Outcome.REFUTED]
    if refuting:
        return Finding(
            verdict=Verdict.NONCONFORM,
            reason_zh=f"{len(refuting)} 项现场检查不成立（共 {len(reports)} 项）",
            reason_en=f"{len(refuting)} of {len(reports)} live checks are refuted",
            remedy_zh="；".join(report.remedy_zh for report in refuting if report.remedy_zh),
            remedy_en="; ".join(report.remedy_en for report in refuting if report.remedy_en),
        )
    broken = [report for report in reports if report.fault]
    if broken:
        codes = "、".join(sorted({report.fault for report in broken}))
        zh = f"检查未能完成：{codes}"
        return _finding(Verdict.INSUFFICIENT, zh, f"a check could not be completed: {codes}")
    if any(report.outcome is Outcome.INSUFFICIENT for report in reports):
        zh, en = (
            "检查已运行，但系统中没有足够的事实可供判定",
            "the checks ran, but there were too few facts to judge by",
        )
        return _finding(Verdict.INSUFFICIENT, zh, en)
    holding = [report for report in reports if report.outcome is Outcome.HOLDS]
    if not holding:
        zh, en = (
            "检查认为本条不适用；不适用须写明理由并经第二人批准",
            "the checks see no case; that needs an approved reason",
        )
        return _finding(Verdict.NOT_ASSESSED, zh, en)
    return _all_hold(clause, count=len(holding))


def with_judgement(machine: Finding, *, verdict: Verdict, reason: str, refuted: bool) -> Finding:
    """Combine the machine's finding with an approved judgement of a person.

    A person may judge what a machine cannot see, but a refuted check caps the verdict: whoever disagrees with a check
    must mend the system or the check, not the verdict.

    Args:
        machine: what followed from the probes alone.
        verdict: what the person judged, approved by a second person.
        reason: the person's reason.
        refuted: whether a probe refuted the clause.
    """
    if refuted and verdict in (Verdict.CONFORM, Verdict.NOT_APPLICABLE):
        return Finding(
            verdict=Verdict.NONCONFORM,
            reason_zh=f"{machine.reason_zh}；人工判定“{verdict.title_zh}”不能盖过不成立的检查",
            reason_en=f"{machine.reason_en}; the judgement '{verdict.title_en}' cannot outweigh a refuted check",
            remedy_zh=machine.remedy_zh,
            remedy_en=machine.remedy_en,
        )
    return Finding(
        verdict=verdict,
        reason_zh=f"人工判定（经第二人批准）：{reason}",
        reason_en=f"judged by a person, approved by a second: {reason}",
        remedy_zh=machine.remedy_zh,
        remedy_en=machine.remedy_en,
    )


def conclude(verdicts: Sequence[Verdict]) -> Conclusion:
    """Decide what may be said about the whole.

    Returns:
        不符合 as soon as one clause does not conform; otherwise no conclusion while anything is open; otherwise
        基本符合 or 符合. An empty sequence gives no conclusion.
    """
    found = set(verdicts)
    if Verdict.NONCONFORM in found:
        return Conclusion.NONCONFORM
    if not found or found & set(OPEN_VERDICTS):
        return Conclusion.OPEN
    return Conclusion.LARGELY if Verdict.PARTIAL in found else Conclusion.CONFORM


def tally(verdicts: Sequence[Verdict]) -> dict[Verdict, int]:
    """Count verdicts; every verdict is present, in the order of the enum."""
    counted = Counter(verdicts)
    return {verdict: counted[verdict] for verdict in Verdict}


def may_approve(*, judged_by: str, approver: str) -> bool:
    """Tell whether this person may approve the judgement: never the one who made it."""
    return bool(approver) and judged_by != approver
