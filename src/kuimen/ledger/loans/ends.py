"""What the ledger tells the retention clocks: when relationships, overdue events and collections ended.

It errs towards keeping: a loan that is not settled is open, a charged-off one too, because its debt is still owed; and
a settlement whose day the source does not tell counts from the day on which the ledger took it in.

Clause: CQJR-5.2-e, CQJR-6.5-c
"""

from collections.abc import Collection, Iterator
from datetime import date, datetime
from uuid import UUID

from django.db.models import Max, Q

from kuimen.foundation import clock
from kuimen.gate.retention.rules import ClockEvent, EventKind
from kuimen.ledger.loans.models import Loan
from kuimen.ledger.loans.rules import STATUS_TABLE, ZERO, LoanStatus, TransactionKind

_REPAYMENTS = [TransactionKind.PRINCIPAL.value, TransactionKind.INTEREST.value, TransactionKind.LATE_FEE.value]


def clock_events(person_refs: Collection[UUID]) -> Iterator[ClockEvent]:
    """Give the events of every loan of these customers. One query."""
    rows = (
        Loan.objects.filter(customer_id__in=list(person_refs))
        .annotate(last_paid_on=Max("transactions__booked_on", filter=Q(transactions__kind__in=_REPAYMENTS)))
        .values_list("loan_ref", "customer_id", "status_id", "paid_late_fees", "last_paid_on", "imported_at")
    )
    for loan_ref, customer, status_code, late_fees, last_paid_on, imported_at in rows:
        status = LoanStatus(status_code)
        ended_on = _ended_on(last_paid_on, imported_at) if status is LoanStatus.SETTLED else None
        evidence = f"loan:{loan_ref}"
        yield ClockEvent(person_ref=customer, kind=EventKind.RELATIONSHIP, ended_on=ended_on, evidence=evidence)
        if STATUS_TABLE[status].overdue or late_fees > ZERO:
            for kind in (EventKind.ADVERSE, EventKind.COLLECTION):
                # Cured and running again: nobody recorded the day of the cure, so the event counts as open.
                yield ClockEvent(person_ref=customer, kind=kind, ended_on=ended_on, evidence=evidence)


def _ended_on(last_paid_on: date | None, imported_at: datetime) -> date:
    return last_paid_on or imported_at.astimezone(clock.SHANGHAI).date()
