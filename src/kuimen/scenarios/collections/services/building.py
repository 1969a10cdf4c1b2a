"""Build cases from what the ledger says, and from nothing else.

Clause: CQJR-5.4-a
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.access import scope
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit import services as audit
from kuimen.gate.audit.services import SYSTEM, Actor
from kuimen.gate.consent import services as consent
from kuimen.ledger.loans import services as ledger
from kuimen.ledger.loans.rules import STATUS_TABLE
from kuimen.ledger.loans.services import LoanFacts
from kuimen.scenarios.collections.errors import CaseExistsError, LoanNotOverdueError, NoContractBasisError
from kuimen.scenarios.collections.models import Case
from kuimen.scenarios.collections.rules import (
    OPEN_STATES,
    PURPOSE,
    CaseEvent,
    CaseState,
    LedgerFact,
    plan_build,
)
from kuimen.scenarios.collections.services.lookup import OBJECT_TYPE, CaseSummary, summary_of
from kuimen.scenarios.collections.services.stepping import advance

CREATE_ACTION = "case.create"
BUILD_ACTION = "case.build"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """What a build did.

    Attributes:
        created: new cases.
        settled: cases that left the queue because the ledger says that their loan is in order.
        open_by_bucket: open cases after the build, by loan status.
        without_basis: overdue loans that got no case, because no contract is recorded as legal basis.
    """

    created: int
    settled: int
    open_by_bucket: Mapping[str, int]
    without_basis: int

    @property
    def open(self) -> int:
        """Open cases after the build."""
        return sum(self.open_by_bucket.values())


def build_cases(subject: Subject | None = None) -> BuildReport:
    """Bring the queue in line with the ledger: every overdue loan has one open case, no other loan has any.

    A second run does nothing. Cost: a handful of queries and one insert for each new case.

    Args:
        subject: who asks; None for the nightly job of the installation.

    Raises:
        NotPermittedError: the person may not build cases.
    """
    actor = SYSTEM
    if subject is not None:
        require(subject, Action.CASE_BUILD, Resource(kind="case_queue"))
        actor = actor_of(subject)
    with scope.institution_wide():
        _lock_queue()
        overdue = {facts.loan_ref: facts for facts in ledger.overdue_loans()}
        cases = {case.loan_id: case for case in _open_cases()}
        known = overdue | ledger.facts_of([ref for ref in cases if ref not in overdue])
        plan = plan_build(
            loans={str(ref): LedgerFact(overdue=_is_overdue(facts)) for ref, facts in known.items()},
            open_cases={str(ref): CaseState(case.state) for ref, case in cases.items()},
        )
        for ref in plan.settle:
            advance(cases[UUID(ref)], CaseEvent.SETTLE, actor=actor)
        _refresh_buckets(cases, overdue)
        wanted = [overdue[UUID(ref)] for ref in plan.create]
        grounded = consent.bases_for([facts.customer_ref for facts in wanted], PURPOSE)
        created = [_create(facts, actor=actor) for facts in wanted if facts.customer_ref in grounded]
        report = BuildReport(
            created=len(created),
            settled=len(plan.settle),
            open_by_bucket=dict(Counter(_open_cases().values_list("bucket", flat=True))),
            without_basis=len(wanted) - len(created),
        )
        audit.record(
            BUILD_ACTION,
            actor=actor,
            object_type="case_queue",
            purpose=PURPOSE,
            facts={
                "created": report.created,
                "settled": report.settled,
                "open": report.open,
                "without_basis": report.without_basis,
            },
        )
        return report


def create_case(subject: Subject, loan_ref: UUID) -> CaseSummary:
    """Open a case for one loan by hand; the ledger decides whether there is anything to collect.

    Raises:
        NotPermittedError: the person may not build cases.
        LoanNotFoundError: the ledger knows no such loan.
        LoanNotOverdueError: the loan is in order; recorded.
        CaseExistsError: the loan has an open case; recorded.
        NoContractBasisError: no contract is recorded for the customer; recorded.
    """
    require(subject, Action.CASE_BUILD, Resource(kind="loan", ref=str(loan_ref)))
    actor = actor_of(subject)
    with scope.institution_wide():
        _lock_queue()
        facts = ledger.loan(loan_ref)
        refusal = _objection(facts)
        if refusal is not None:
            audit.record_refusal(
                CREATE_ACTION,
                actor=actor,
                object_type="loan",
                object_ref=str(loan_ref),
                purpose=PURPOSE,
                facts={"reason": refusal.code},
            )
            raise refusal
        return summary_of(_create(facts, actor=actor), facts)


def _objection(facts: LoanFacts) -> LoanNotOverdueError | CaseExistsError | NoContractBasisError | None:
    if not _is_overdue(facts):
        return LoanNotOverdueError("loan_ref: the ledger says that this loan is in order; there is nothing to collect")
    if _open_cases().filter(loan_id=facts.loan_ref).exists():
        return CaseExistsError("loan_ref: the loan has an open case; work that one")
    if not consent.bases_for([facts.customer_ref], PURPOSE):
        return NoContractBasisError("loan_ref: no contract is recorded as legal basis; import the loan first")
    return None


def _create(facts: LoanFacts, *, actor: Actor) -> Case:
    case = Case.objects.create(
        case_ref=new_ref(),
        loan_id=facts.loan_ref,
        customer_ref=facts.customer_ref,
        bucket=facts.status.value,
        state=CaseState.CREATED.value,
    )
    audit.record(
        CREATE_ACTION,
        actor=actor,
        object_type=OBJECT_TYPE,
        object_ref=str(case.case_ref),
        purpose=PURPOSE,
        facts={"loan": str(facts.loan_ref), "bucket": facts.status.value, "state_after": case.state},
    )
    return case


def _refresh_buckets(cases: Mapping[UUID, Case], overdue: Mapping[UUID, LoanFacts]) -> None:
    moved = [case for ref, case in cases.items() if ref in overdue and case.bucket != overdue[ref].status]
    for case in moved:
        case.bucket = overdue[case.loan_id].status.value
    Case.objects.bulk_update(moved, ["bucket"])


def _open_cases() -> QuerySet[Case]:
    return Case.objects.filter(state__in=[state.value for state in OPEN_STATES])


def _is_overdue(facts: LoanFacts) -> bool:
    return STATUS_TABLE[facts.status].overdue


def _lock_queue() -> None:
    """Let one build run at a time, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('kuimen.case_queue', 0))")
