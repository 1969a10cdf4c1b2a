"""Probes of collection: cases rest on the ledger, live by the table, and are seen masked and on record."""

import json
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q

from kuimen.gate.audit.models import Entry
from kuimen.gate.consent import services as consent
from kuimen.gate.disclosure.models import Disclosure
from kuimen.gate.disclosure.rules import Kind
from kuimen.gate.disclosure.scope import object_types
from kuimen.kernels.elements.model import Element
from kuimen.ledger.loans import services as ledger
from kuimen.scenarios.collections.models import Assignment, Case, Transition
from kuimen.scenarios.collections.rules import (
    HELD_STATES,
    LIST_ELEMENTS,
    OPEN_STATES,
    PAGE_ELEMENTS,
    PURPOSE,
    CaseEvent,
    CaseState,
    next_state,
)
from kuimen.scenarios.collections.services.building import CREATE_ACTION
from kuimen.scenarios.collections.services.lookup import LIST_TYPE, OBJECT_TYPE
from kuimen.scenarios.collections.services.stepping import STEP_ACTION
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, control

VIEWS_LOOKED_AT = 2_000


def _verdict(seen: Observation, *, broken: int, enough: bool, remedy_zh: str, remedy_en: str) -> ProbeResult:
    if broken:
        return ProbeResult(outcome=Outcome.REFUTED, observations=(seen,), remedy_zh=remedy_zh, remedy_en=remedy_en)
    return ProbeResult(outcome=Outcome.HOLDS if enough else Outcome.INSUFFICIENT, observations=(seen,))


@control(
    "CQJR-5.4-a",
    title_zh="在催案件均有真实逾期借款与合同依据",
    title_en="Every open case rests on a really overdue loan and a contract",
)
def cases_rest_on_overdue_loans(context: ProbeContext) -> ProbeResult:
    """Hold every open case against the ledger, the legal bases and the record of its creation."""
    cases = list(Case.objects.filter(state__in=[state.value for state in OPEN_STATES]))
    overdue = {facts.loan_ref: facts for facts in ledger.overdue_loans()}
    grounded = consent.bases_for({case.customer_ref for case in cases}, PURPOSE)
    recorded = set(Entry.objects.filter(action=CREATE_ACTION, outcome="done").values_list("object_ref", flat=True))
    faults = {
        "loan_not_overdue": sum(case.loan_id not in overdue for case in cases),
        "other_customer_than_the_loans": sum(
            case.loan_id in overdue and overdue[case.loan_id].customer_ref != case.customer_ref for case in cases
        ),
        "without_legal_basis": sum(case.customer_ref not in grounded for case in cases),
        "creation_not_recorded": sum(str(case.case_ref) not in recorded for case in cases),
    }
    seen = Observation(
        title_zh="在催案件与台账、合同依据、建案记录逐件核对",
        title_en="open cases held against ledger, legal basis and record of creation, one by one",
        facts={
            "open_cases": len(cases),
            "overdue_loans": len(overdue),
            **faults,
            "at": context.at.isoformat(),
        },
        reference="collections_case",
    )
    return _verdict(
        seen,
        broken=sum(faults.values()),
        enough=bool(cases),
        remedy_zh="立即停止相关案件的催收，查明来源；案件只能由台账的真实逾期借款生成",
        remedy_en="stop collecting these cases at once and find where they came from; cases come from the ledger alone",
    )


@control(
    "CQJR-5.4-b",
    title_zh="案件的每一步都在系统内完成并留痕",
    title_en="Every step of every case was made in the system and recorded",
)
def case_states_equal_their_history(context: ProbeContext) -> ProbeResult:
    """Replay each case from its recorded steps and compare; hold each step against its audit entry."""
    cases = {case.case_ref: case for case in Case.objects.all()}
    history: defaultdict[UUID, list[Transition]] = defaultdict(list)
    for step in Transition.objects.order_by("case_id", "step"):
        history[step.case_id].append(step)
    entries = {
        (entry_id, ref)
        for entry_id, ref in Entry.objects.filter(action=STEP_ACTION, outcome="done").values_list(
            "entry_id", "object_ref"
        )
    }
    current = {found.case_id: found for found in Assignment.objects.filter(ended_at__isnull=True)}
    faults = {
        "state_differs_from_replay": sum(not _replays(case, history[ref]) for ref, case in cases.items()),
        "steps_without_audit_entry": sum(
            (step.audit_entry, str(ref)) not in entries for ref, steps in history.items() for step in steps
        ),
        "audited_steps_missing_from_history": len(entries) - sum(map(len, history.values())),
        "holder_without_assignment": sum(
            (CaseState(case.state) in HELD_STATES) != (ref in current)
            or (ref in current and current[ref].assignee != case.assignee)
            for ref, case in cases.items()
        ),
    }
    seen = Observation(
        title_zh="案件状态与其流转记录、审计记录的重放比对",
        title_en="case states compared with the replay of their recorded steps",
        facts={
            "cases": len(cases),
            "steps": sum(map(len, history.values())),
            **faults,
            "at": context.at.isoformat(),
        },
        reference="collections_transition",
    )
    return _verdict(
        seen,
        broken=sum(map(abs, faults.values())),
        enough=any(history.values()),
        remedy_zh="案件状态被绕过系统修改：查审计日志，冻结相关账号，按流转记录恢复",
        remedy_en="a case was changed outside the system: search the audit log, freeze the account, restore by history",
    )


def _replays(case: Case, steps: Iterable[Transition]) -> bool:
    state, count = CaseState.CREATED, 0
    for count, step in enumerate(steps, start=1):
        following = next_state(state, CaseEvent(step.event))
        if following is None or (step.step, step.state_before, step.state_after) != (count, state, following):
            return False
        state = following
    return (case.state, case.steps) == (state, count)


@control(
    "CQJR-5.4-d",
    title_zh="催收页面默认脱敏，水印可追溯到审计记录",
    title_en="Collection pages were masked by default and their watermarks resolve",
)
def case_pages_are_masked_and_traceable(context: ProbeContext) -> ProbeResult:
    """Hold the views of the period against the audit log, the page's field list and who held the case."""
    views = list(
        Disclosure.objects.filter(
            object_type__in=(OBJECT_TYPE, LIST_TYPE), occurred_at__gte=context.since, occurred_at__lte=context.at
        )
        .select_related("entry")
        .order_by("-occurred_at")[:VIEWS_LOOKED_AT]
    )
    allowed = {OBJECT_TYPE: frozenset(PAGE_ELEMENTS), LIST_TYPE: frozenset(LIST_ELEMENTS)}
    reveals = [view for view in views if view.kind == Kind.REVEAL.value]
    faults = {
        "watermark_does_not_resolve": sum(not _resolves(view) for view in views),
        "fields_beyond_the_page": sum(
            not {Element(name) for name in view.elements} <= allowed[view.object_type] for view in views
        ),
        "other_purpose": sum(view.purpose != PURPOSE for view in views),
        "reveal_without_holding_the_case": sum(not _held(view) for view in reveals),
        "doors_not_registered": len({OBJECT_TYPE, LIST_TYPE} - object_types()),
    }
    seen = Observation(
        title_zh="期内催收页面视图逐条核对",
        title_en="views of collection pages in the period, one by one",
        facts={
            "views": len(views),
            "masked_pages": sum(view.kind == Kind.PAGE.value for view in views),
            "reveals": len(reveals),
            **faults,
            "at": context.at.isoformat(),
        },
        reference="disclosure_record",
    )
    return _verdict(
        seen,
        broken=sum(faults.values()),
        enough=any(view.kind == Kind.PAGE.value for view in views),
        remedy_zh="存在水印不可追溯、超字段或非经办人查看明文的记录：停用该页面并追查",
        remedy_en="a view does not resolve, shows too much, or was a reveal by another: close the page and trace it",
    )


def _resolves(view: Disclosure) -> bool:
    """Return whether the audit entry says the same as the view, so that the watermark names the right person."""
    body = json.loads(bytes(view.entry.body))
    return (body["view"], body["actor"]["ref"], body["object"]["ref"], body["outcome"]) == (
        str(view.view_id),
        view.staff_no,
        view.object_ref,
        "done",
    )


def _held(view: Disclosure) -> bool:
    """Return whether whoever saw a clear value held the case at that moment."""
    return (
        Assignment.objects.filter(case_id=view.object_ref, assignee=view.staff_no, assigned_at__lte=view.occurred_at)
        .filter(Q(ended_at__isnull=True) | Q(ended_at__gte=view.occurred_at))
        .exists()
    )
