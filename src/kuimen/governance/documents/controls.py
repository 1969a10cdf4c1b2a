"""Probes of the documents room: the rules a clause asks for exist, are approved by two, in force and reviewed."""

from collections.abc import Iterable, Sequence
from datetime import date

from kuimen.foundation import clock
from kuimen.gate.access.models import Posting
from kuimen.governance.documents.models import Acknowledgement, ControlledText
from kuimen.governance.documents.rules import (
    EVENT_SCENARIOS,
    LONGEST_REVIEW,
    POLICY_DOMAINS,
    TextKind,
    TextState,
    Topic,
    uncovered,
)
from kuimen.kernels.ciphers import sm3
from kuimen.standard import Fact, Observation, Outcome, ProbeContext, ProbeResult, control
from kuimen.standard.controls import GRAVITY

_REMEDY_ZH = "起草并由另一名主管批准所缺文本，复审到期文本，为其责任岗位配备人员；被改动的文本以新版本重新发布"
_REMEDY_EN = (
    "draft the missing texts and have another officer approve them, review those that are due, staff the responsible"
    " posts; publish altered texts anew"
)


@control(
    "CQJR-6.1-b",
    title_zh="制度体系覆盖数据、网络、应用与物理",
    title_en="Policies cover the four domains",
)
def policies_form_a_system(context: ProbeContext) -> ProbeResult:
    """Hold the policies in force against the four domains."""
    return _look(POLICY_DOMAINS, kinds=(TextKind.POLICY,), today=_today(context))


@control("CQJR-6.2-a", title_zh="分类分级制度与执行细则现行有效", title_en="Classification policy and rules in force")
def classification_has_policy_and_rules(context: ProbeContext) -> ProbeResult:
    """Ask for a policy and for operating rules on classification, both in force."""
    today = _today(context)
    policy = _look((Topic.CLASSIFICATION,), kinds=(TextKind.POLICY,), today=today)
    rules = _look((Topic.CLASSIFICATION,), kinds=(TextKind.PROCEDURE,), today=today)
    return _both(policy, rules)


@control("CQJR-6.5-a", title_zh="日志收集、存储与访问的操作规范现行有效", title_en="Rules for logs are in force")
def logs_have_operating_rules(context: ProbeContext) -> ProbeResult:
    """Ask for operating rules on the collection, storage and access of logs."""
    return _look((Topic.LOGS,), kinds=(TextKind.PROCEDURE,), today=_today(context))


@control("CQJR-6.7-a", title_zh="业务连续性管理制度现行有效", title_en="The continuity policy is in force")
def continuity_has_a_policy(context: ProbeContext) -> ProbeResult:
    """Ask for a policy on business continuity."""
    return _look((Topic.CONTINUITY,), kinds=(TextKind.POLICY,), today=_today(context))


@control("CQJR-6.7-c", title_zh="重要事件预案覆盖七类场景", title_en="Plans cover the seven kinds of events")
def plans_cover_every_scenario(context: ProbeContext) -> ProbeResult:
    """Hold the emergency plans in force against the seven kinds of events."""
    return _look(EVENT_SCENARIOS, kinds=(TextKind.PLAN,), today=_today(context))


def _today(context: ProbeContext) -> date:
    return context.at.astimezone(clock.SHANGHAI).date()


def _look(wanted: Sequence[Topic], *, kinds: Iterable[TextKind], today: date) -> ProbeResult:
    """Report what is in force on these topics, and whatever keeps a text from counting."""
    allowed = [kind.value for kind in kinds]
    rows = [
        row
        for row in ControlledText.objects.filter(state=TextState.IN_FORCE.value, kind__in=allowed)
        if {topic.value for topic in wanted} & set(row.topics)
    ]
    held = set(Posting.objects.filter(ended_at__isnull=True, staff__is_active=True).values_list("post_id", flat=True))
    overdue = [row for row in rows if row.review_by < today]
    altered = [row for row in rows if sm3(row.body.encode()).hex() != row.body_sm3]
    alone = [row for row in rows if row.decided_by_id in {None, row.drafted_by_id}]
    endless = [row for row in rows if row.decided_at and row.review_by > row.decided_at.date() + LONGEST_REVIEW * 2]
    unstaffed = [row for row in rows if row.owner_post_id not in held]
    sound = [row for row in rows if not any(row in bad for bad in (overdue, altered, alone, endless))]
    missing = uncovered(wanted, [Topic(topic) for row in sound for topic in row.topics])
    facts: dict[str, Fact] = {
        "texts_in_force": len(rows),
        "topics_wanted": len(wanted),
        "topics_not_covered": len(missing),
        "texts_overdue_for_review": len(overdue),
        "texts_altered": len(altered),
        "texts_not_approved_by_another": len(alone),
        "texts_without_holder_of_post": len(unstaffed),
        "acknowledgements": Acknowledgement.objects.filter(text__in=rows).count(),
        "texts": ", ".join(f"{row} SM3 {row.body_sm3[:16]}" for row in rows),
        "missing": ", ".join(missing),
    }
    seen = Observation(
        title_zh="现行文本" + "、".join(allowed), title_en="texts in force", facts=facts, reference="documents_text"
    )
    if not rows:  # an empty register proves neither that rules exist nor that they do not
        return ProbeResult(outcome=Outcome.INSUFFICIENT, observations=(seen,))
    if missing or altered or alone or unstaffed or overdue:
        return ProbeResult(outcome=Outcome.REFUTED, observations=(seen,), remedy_zh=_REMEDY_ZH, remedy_en=_REMEDY_EN)
    return ProbeResult(outcome=Outcome.HOLDS, observations=(seen,))


def _both(first: ProbeResult, second: ProbeResult) -> ProbeResult:
    outcome = min((first.outcome, second.outcome), key=GRAVITY.index)
    refuted = outcome is Outcome.REFUTED
    return ProbeResult(
        outcome=outcome,
        observations=(*first.observations, *second.observations),
        remedy_zh=_REMEDY_ZH if refuted else "",
        remedy_en=_REMEDY_EN if refuted else "",
    )
