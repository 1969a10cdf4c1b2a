"""Find a case as far as somebody may know of it: by query first, by row-level security second."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NoReturn
from uuid import UUID

from django.db.models import QuerySet

from kuimen.gate.access.rules import Resource, Role, Subject
from kuimen.gate.access.services import actor_of
from kuimen.gate.audit import services as audit
from kuimen.ledger.loans.rules import STATUS_TABLE, LoanStatus
from kuimen.ledger.loans.services import LoanFacts
from kuimen.scenarios.collections.errors import CaseNotFoundError
from kuimen.scenarios.collections.models import Case
from kuimen.scenarios.collections.rules import STATE_TITLES, CaseState

OBJECT_TYPE = "case"
LIST_TYPE = "case_list"
SEARCH_TYPE = "case_search"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """A case and its loan's facts, without any personal value.

    Attributes:
        number: short name for people, from the random reference.
        customer_ref: for the gate; pages and answers leave it out.
    """

    case_id: UUID
    number: str
    loan_ref: UUID
    customer_ref: UUID
    bucket: LoanStatus
    bucket_zh: str
    bucket_en: str
    state: CaseState
    state_zh: str
    state_en: str
    principal: Decimal
    balance: Decimal
    instalment: Decimal
    written_off: Decimal
    assignee: str
    agency: str
    until: date | None
    opened_at: datetime


def visible_cases(subject: Subject) -> QuerySet[Case]:
    """Return the cases that somebody may know of: a collector their own, an agency's staff those of the agency."""
    cases = Case.objects.all()
    if not subject.in_house:
        cases = cases.filter(agency__code=subject.agency_id)
    if Role.TEAM_LEADER not in subject.roles:
        cases = cases.filter(assignee=subject.staff_no)
    return cases


def searchable_cases(subject: Subject) -> QuerySet[Case]:
    """Return the cases that a search may lead to: whoever was granted searches finds every case of the institution.

    Outsourced staff find none; policy refuses them before.
    """
    return Case.objects.all() if subject.in_house else Case.objects.none()


def visible_case(subject: Subject, case_id: UUID, *, action: str, lock: bool = False) -> Case:
    """Return one case within the scope that stands, locked for update where asked.

    Raises:
        CaseNotFoundError: no such case, or not for this person; both give the same answer, and both are recorded.
    """
    cases = visible_cases(subject)
    if lock:
        cases = cases.select_for_update(of=("self",))
    case = cases.filter(case_ref=case_id).first()
    if case is None:
        not_found(subject, case_id, action=action)
    return case


def not_found(subject: Subject, case_id: UUID, *, action: str) -> NoReturn:
    """Record that somebody asked for a case they may not know of, and say that there is none."""
    audit.record_refusal(
        action,
        actor=actor_of(subject),
        object_type=OBJECT_TYPE,
        object_ref=str(case_id),
        facts={"reason": CaseNotFoundError.code},
    )
    raise CaseNotFoundError("case_id: no such case")


def resource_of(case: Case) -> Resource:
    """Return the case as policies see it."""
    return Resource(kind=OBJECT_TYPE, ref=str(case.case_ref), agency_id=case.agency_id or "", assignee=case.assignee)


def summary_of(case: Case, facts: LoanFacts) -> CaseSummary:
    """Join a case with the facts of its loan."""
    state, bucket = CaseState(case.state), LoanStatus(case.bucket)
    return CaseSummary(
        case_id=case.case_ref,
        number=number_of(case.case_ref),
        loan_ref=facts.loan_ref,
        customer_ref=case.customer_ref,
        bucket=bucket,
        bucket_zh=STATUS_TABLE[bucket].title_zh,
        bucket_en=STATUS_TABLE[bucket].title_en,
        state=state,
        state_zh=STATE_TITLES[state][0],
        state_en=STATE_TITLES[state][1],
        principal=facts.principal,
        balance=facts.balance,
        instalment=facts.instalment,
        written_off=facts.written_off,
        assignee=case.assignee,
        agency=case.agency_id or "",
        until=case.until,
        opened_at=case.opened_at,
    )


def number_of(case_id: UUID) -> str:
    """Return the short name of a case."""
    return f"C-{case_id.hex[:8].upper()}"
