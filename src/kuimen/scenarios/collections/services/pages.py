"""What people see of cases: masked by the gate, watermarked, one field in clear only against a reason.

Clause: CQJR-5.4-d
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count

from kuimen.foundation.identifiers import CustomerRef
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import scope
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import require
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.results import ChallengeResult, MaskedPage, Revealed, Watermark
from kuimen.gate.disclosure.rules import Reason
from kuimen.kernels.elements.model import Element
from kuimen.ledger.loans import services as ledger
from kuimen.ledger.loans.rules import LoanStatus
from kuimen.ledger.loans.services import LoanFacts
from kuimen.scenarios.collections.errors import CaseInputError
from kuimen.scenarios.collections.models import Case
from kuimen.scenarios.collections.rules import (
    CHALLENGE_ELEMENTS,
    EVENT_TITLES,
    LIST_ELEMENTS,
    PAGE_ELEMENTS,
    PAGE_ROWS,
    PURPOSE,
    CaseEvent,
    CaseState,
    RevealReason,
)
from kuimen.scenarios.collections.services.lookup import (
    LIST_TYPE,
    OBJECT_TYPE,
    CaseSummary,
    resource_of,
    summary_of,
    visible_case,
    visible_cases,
)
from kuimen.scenarios.collections.services.stepping import events_for


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePage:
    """One page of the list.

    Attributes:
        cases: at most 50, oldest first.
        masked: by case this person holds, the masked text of each element of `LIST_ELEMENTS`; others are not in it.
        watermark: of this view; its view id resolves to the audit entry. None for an empty page, which shows nobody.
        buckets: number of visible open cases in each bucket, before filters.
    """

    cases: tuple[CaseSummary, ...]
    masked: Mapping[UUID, Mapping[Element, str]]
    watermark: Watermark | None
    page: int
    pages: int
    total: int
    buckets: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStep:
    """One step of a case's past."""

    at: datetime
    title_zh: str
    title_en: str
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """One case page.

    Attributes:
        masked: masked text by element, in the order of `PAGE_ELEMENTS`; an element that was never collected is missing.
        events: what this person may do now.
    """

    case: CaseSummary
    facts: LoanFacts
    masked: Mapping[Element, str]
    watermark: Watermark
    history: tuple[HistoryStep, ...]
    events: tuple[CaseEvent, ...]


def list_cases(
    subject: Subject, *, page: int = 1, state: CaseState | None = None, bucket: LoanStatus | None = None
) -> CasePage:
    """Return one page of the cases that somebody may know of, masked and watermarked.

    Raises:
        NotPermittedError: the person may not list cases.
        CaseInputError: the page number is not positive.
    """
    if page < 1:
        raise CaseInputError("page: count from 1")
    require(subject, Action.CASE_LIST, Resource(kind=LIST_TYPE, agency_id=subject.agency_id))
    with scope.applied(subject):
        visible = visible_cases(subject)
        open_cases = visible.exclude(state__in=[CaseState.SETTLED.value, CaseState.CLOSED.value])
        buckets = dict(open_cases.values_list("bucket").annotate(Count("pk")))
        chosen = visible.filter(state=state.value) if state else open_cases
        if bucket:
            chosen = chosen.filter(bucket=bucket.value)
        total = chosen.count()
        found = list(chosen.order_by("opened_at", "case_ref")[(page - 1) * PAGE_ROWS : page * PAGE_ROWS])
        facts = ledger.facts_of([case.loan_id for case in found])
        cases = tuple(summary_of(case, facts[case.loan_id]) for case in found)
    view = _masked_list(subject, cases, page=page) if cases else None
    return CasePage(
        cases=cases,
        masked=_held_values(subject, cases, view) if view else {},
        watermark=view.watermark if view else None,
        page=page,
        pages=max(1, -(-total // PAGE_ROWS)),
        total=total,
        buckets=buckets,
    )


def _masked_list(subject: Subject, cases: Sequence[CaseSummary], *, page: int) -> MaskedPage:
    """Ask for the values of the cases this person holds; a list without any shows loan facts under references alone.

    Paging through cases that others hold is dispatching, not looking people up, so it shows nobody and counts nobody.
    """
    held = [case for case in cases if case.assignee == subject.staff_no]
    return disclosure.masked_page(
        subject,
        purpose=PURPOSE,
        object_type=LIST_TYPE,
        object_ref=f"page-{page}",
        rows=[CustomerRef(case.customer_ref) for case in held or cases],
        elements=LIST_ELEMENTS if held else (),
    )


def _held_values(subject: Subject, cases: Sequence[CaseSummary], view: MaskedPage) -> dict[UUID, Mapping[Element, str]]:
    return {
        case.case_id: view.values[CustomerRef(case.customer_ref)] for case in cases if case.assignee == subject.staff_no
    }


def open_case(subject: Subject, case_id: UUID) -> CaseView:
    """Return one case page.

    Raises:
        CaseNotFoundError: no such case for this person; a foreign agency's case is none.
        NotPermittedError: the person may not open it.
    """
    with scope.applied(subject):
        case = visible_case(subject, case_id, action=Action.CASE_OPEN)
        require(subject, Action.CASE_OPEN, resource_of(case), {"purpose": PURPOSE})
        facts = ledger.loan(case.loan_id)
        summary, history, events = summary_of(case, facts), _history(case), events_for(subject, case)
    customer_ref = CustomerRef(summary.customer_ref)
    view = disclosure.masked_page(
        subject,
        purpose=PURPOSE,
        object_type=OBJECT_TYPE,
        object_ref=str(case_id),
        rows=[customer_ref],
        elements=PAGE_ELEMENTS,
    )
    return CaseView(
        case=summary,
        facts=facts,
        masked=view.values[customer_ref],
        watermark=view.watermark,
        history=history,
        events=events,
    )


def challenge(subject: Subject, case_id: UUID, *, element: Element, answer: Sensitive[str]) -> ChallengeResult:
    """Check what a customer said against the vault, without showing the value.

    Raises:
        CaseNotFoundError, NotPermittedError: as in :func:`open_case`.
        CaseInputError: the element is none that is asked for.
        DeniedError: too many wrong answers today.
    """
    if element not in CHALLENGE_ELEMENTS:
        raise CaseInputError(f"element: choose one of {', '.join(CHALLENGE_ELEMENTS)}")
    customer_ref = _customer_of_worked_case(subject, case_id)
    return disclosure.challenge(
        subject, purpose=PURPOSE, object_ref=str(case_id), customer_ref=customer_ref, element=element, answer=answer
    )


def reveal(
    subject: Subject,
    case_id: UUID,
    *,
    element: Element,
    reason_code: RevealReason,
    reason: str,
    idempotency_key: str,
) -> Revealed:
    """Show one field in clear for a short time, within the day's quota.

    Args:
        subject: the collector who holds the case.
        case_id: the case.
        element: one field of the case page.
        reason_code: why, from the door's list.
        reason: why in the person's own words, without personal data; it is recorded.
        idempotency_key: the same key gives the same answer and counts once.

    Raises:
        CaseNotFoundError, NotPermittedError: as in :func:`open_case`.
        CaseInputError: the element is not on the case page.
        DeniedError: the quota of the day is used up.
    """
    if element not in PAGE_ELEMENTS:
        raise CaseInputError(f"element: choose one of {', '.join(PAGE_ELEMENTS)}")
    customer_ref = _customer_of_worked_case(subject, case_id)
    return disclosure.reveal(
        subject,
        purpose=PURPOSE,
        object_type=OBJECT_TYPE,
        object_ref=str(case_id),
        customer_ref=customer_ref,
        element=element,
        reason=Reason(code=reason_code, text=reason),
        idempotency_key=idempotency_key,
    )


def _customer_of_worked_case(subject: Subject, case_id: UUID) -> CustomerRef:
    with scope.applied(subject):
        case = visible_case(subject, case_id, action=Action.CASE_WORK)
        require(subject, Action.CASE_WORK, resource_of(case), {"purpose": PURPOSE})
        return CustomerRef(case.customer_ref)


def _history(case: Case) -> tuple[HistoryStep, ...]:
    return tuple(
        HistoryStep(
            at=step.at,
            title_zh=EVENT_TITLES[CaseEvent(step.event)][0],
            title_en=EVENT_TITLES[CaseEvent(step.event)][1],
            actor=step.actor,
        )
        for step in case.transitions.order_by("step")
    )
