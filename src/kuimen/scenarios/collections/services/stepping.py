"""Move a case from state to state: every step is in the table, recorded, and undone together with its record."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NoReturn
from uuid import UUID

from kuimen.foundation import clock
from kuimen.gate.access import scope
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import Resource, Role, Subject
from kuimen.gate.access.services import actor_of, decide, require, subject_of
from kuimen.gate.audit import services as audit
from kuimen.gate.audit.services import Actor, FactValue
from kuimen.ledger.loans import services as ledger
from kuimen.scenarios.collections.errors import AssigneeError, CaseInputError, CaseTransitionError
from kuimen.scenarios.collections.models import Assignment, Case, Transition
from kuimen.scenarios.collections.rules import (
    ENDS_ASSIGNMENT,
    EVENT_ACTIONS,
    EVENTS_WITH_DETAILS,
    PURPOSE,
    CaseEvent,
    CaseState,
    HoldReason,
    allowed_events,
    next_state,
)
from kuimen.scenarios.collections.services.lookup import (
    OBJECT_TYPE,
    CaseSummary,
    resource_of,
    summary_of,
    visible_case,
    visible_cases,
)

STEP_ACTION = "case.step"
DEFAULT_TERM = timedelta(days=30)
LONGEST_TERM = timedelta(days=180)


def assign(subject: Subject, case_id: UUID, *, assignee: str, until: date | None = None) -> CaseSummary:
    """Give a case to a collector; the collector's agency, if any, gets the row.

    Args:
        subject: a team leader of the institution.
        case_id: a case that nobody holds.
        assignee: staff number of an active collector.
        until: last day of the term, 30 days from today by default, 180 at most.

    Raises:
        CaseNotFoundError: no such case for this person.
        CaseTransitionError: the state does not allow it; unchanged and recorded.
        NotPermittedError: no right to dispatch.
        AssigneeError: not an active collector.
        CaseInputError: the term lies in the past or is too long.
    """
    last_day = until or clock.today() + DEFAULT_TERM
    if not clock.today() <= last_day <= clock.today() + LONGEST_TERM:
        raise CaseInputError(f"until: choose a day from today to {LONGEST_TERM.days} days ahead")
    with scope.applied(subject):
        case = _opened_for(subject, case_id, CaseEvent.ASSIGN)
        holder = _collector(assignee)
        with scope.institution_wide():
            case.agency = holder.agency
            case.assignee = holder.staff_no
            case.until = last_day
            advance(case, CaseEvent.ASSIGN, actor=actor_of(subject), facts={"assignee": holder.staff_no})
            Assignment.objects.create(
                case=case,
                agency=holder.agency,
                assignee=holder.staff_no,
                assigned_by=subject.staff_no,
                assigned_at=clock.now(),
                until=last_day,
            )
            return _summary(case)


def assign_evenly(
    subject: Subject, case_ids: list[UUID], *, assignees: list[str], until: date | None = None
) -> dict[str, int]:
    """Deal cases out one by one, so that no collector gets two more than another; returns how many each got.

    Errors as in :func:`assign`; cases before the one that failed stay assigned.
    """
    if not assignees:
        raise AssigneeError("assignees: name at least one collector")
    dealt = dict.fromkeys(assignees, 0)
    for position, case_id in enumerate(case_ids):
        holder = assignees[position % len(assignees)]
        assign(subject, case_id, assignee=holder, until=until)
        dealt[holder] += 1
    return dealt


def waiting_cases(subject: Subject) -> list[UUID]:
    """Return the cases that wait for somebody to hold them, oldest first, for dealing out; no personal value.

    Raises:
        NotPermittedError: no right to dispatch.
    """
    require(subject, EVENT_ACTIONS[CaseEvent.ASSIGN], Resource(kind="case_queue"))
    waiting = [state.value for state in CaseState if next_state(state, CaseEvent.ASSIGN) is not None]
    with scope.applied(subject):
        cases = visible_cases(subject).filter(state__in=waiting).order_by("opened_at", "case_ref")
        return list(cases.values_list("case_ref", flat=True))


def hold(subject: Subject, case_id: UUID, *, reason: HoldReason) -> CaseSummary:
    """Stop collecting at once: the case leaves whoever holds it.

    Raises:
        CaseNotFoundError, CaseTransitionError, NotPermittedError: as in :func:`assign`.
    """
    with scope.applied(subject):
        case = _opened_for(subject, case_id, CaseEvent.HOLD)
        with scope.institution_wide():
            case.hold_reason = reason.value
            advance(case, CaseEvent.HOLD, actor=actor_of(subject), facts={"hold_reason": reason.value})
            return _summary(case)


def recall(subject: Subject, case_id: UUID) -> CaseSummary:
    """Take a case back from whoever holds it; errors as in :func:`assign`."""
    return apply_event(subject, case_id, CaseEvent.RECALL)


def apply_event(subject: Subject, case_id: UUID, event: CaseEvent) -> CaseSummary:
    """Do to a case what needs no more than its name: every event but `assign` and `hold`.

    Raises:
        CaseInputError: the event needs details; use its own function.
        CaseNotFoundError, CaseTransitionError, NotPermittedError: as in :func:`assign`.
    """
    if event in EVENTS_WITH_DETAILS:
        raise CaseInputError(f"event: {event.value} needs details; use its own command")
    with scope.applied(subject):
        case = _opened_for(subject, case_id, event)
        # An agency may give a case back, and then the row is no longer the agency's to write.
        with scope.institution_wide():
            advance(case, event, actor=actor_of(subject))
            return _summary(case)


def events_for(subject: Subject, case: Case) -> tuple[CaseEvent, ...]:
    """Return what this person may do to the case now, for buttons; the deed decides again."""
    return tuple(
        event
        for event in allowed_events(CaseState(case.state))
        if event in EVENT_ACTIONS and decide(subject, EVENT_ACTIONS[event], resource_of(case)).allowed
    )


def advance(case: Case, event: CaseEvent, *, actor: Actor, facts: Mapping[str, FactValue] | None = None) -> UUID:
    """Take one step with a locked case, in the present transaction, and return the audit entry.

    Raises:
        CaseTransitionError: not in the table.
    """
    before = CaseState(case.state)
    after = next_state(before, event)
    if after is None:
        refuse_step(case, event, actor=actor)
    if event in ENDS_ASSIGNMENT:
        _end_assignment(case, event)
    if event is not CaseEvent.HOLD:
        case.hold_reason = ""
    case.state, case.state_since, case.steps = after.value, clock.now(), case.steps + 1
    entry = audit.record(
        STEP_ACTION,
        actor=actor,
        object_type=OBJECT_TYPE,
        object_ref=str(case.case_ref),
        purpose=PURPOSE,
        facts={
            "event": event.value,
            "state_before": before.value,
            "state_after": after.value,
            "step": case.steps,
            **(facts or {}),
        },
    )
    case.save(update_fields=["state", "state_since", "steps", "hold_reason", "agency", "assignee", "until", "bucket"])
    Transition.objects.create(
        case=case,
        step=case.steps,
        event=event.value,
        state_before=before.value,
        state_after=after.value,
        actor=actor.ref,
        at=case.state_since,
        audit_entry=entry,
    )
    return entry


def refuse_step(case: Case, event: CaseEvent, *, actor: Actor) -> NoReturn:
    """Record that the table does not allow an event, and say so."""
    audit.record_refusal(
        STEP_ACTION,
        actor=actor,
        object_type=OBJECT_TYPE,
        object_ref=str(case.case_ref),
        purpose=PURPOSE,
        facts={"event": event.value, "state_before": case.state, "reason": CaseTransitionError.code},
    )
    raise CaseTransitionError(f"event: {event.value} is not allowed in state {case.state}; read the case again")


def _opened_for(subject: Subject, case_id: UUID, event: CaseEvent) -> Case:
    """Lock the case, then ask the table, then the policy; in this order an impossible step is 409 for everybody."""
    action = EVENT_ACTIONS.get(event)
    case = visible_case(subject, case_id, action=STEP_ACTION, lock=True)
    if action is None or next_state(CaseState(case.state), event) is None:
        refuse_step(case, event, actor=actor_of(subject))
    require(subject, action, resource_of(case), {"purpose": PURPOSE})
    return case


def _end_assignment(case: Case, event: CaseEvent) -> None:
    Assignment.objects.filter(case=case, ended_at__isnull=True).update(ended_at=clock.now(), ended_by_event=event.value)
    case.agency, case.assignee, case.until = None, "", None


def _collector(staff_no: str) -> Staff:
    staff = Staff.objects.select_related("agency").filter(staff_no=staff_no, is_active=True).first()
    if staff is None or Role.COLLECTOR not in subject_of(staff).roles:
        raise AssigneeError("assignee: choose an active member of staff with the collector role")
    return staff


def _summary(case: Case) -> CaseSummary:
    return summary_of(case, ledger.loan(case.loan_id))
