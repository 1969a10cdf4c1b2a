"""Use cases of the loans room: import with control totals, and what other rooms may ask."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Sum

from kuimen.gate.audit import services as audit
from kuimen.gate.audit.services import Actor
from kuimen.ledger.customers import services as customers
from kuimen.ledger.loans import posting
from kuimen.ledger.loans.errors import LoanNotFoundError, LoanRowError, ReconciliationError
from kuimen.ledger.loans.models import Loan, Status
from kuimen.ledger.loans.rules import (
    MONEY_FIELDS,
    ZERO,
    ControlTotals,
    DeclaredTotals,
    LoanRow,
    LoanStatus,
    faults_of,
    to_cents,
)

IMPORT_ACTION = "ledger.import"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did; `totals` hold for all loans of the source, in and out alike."""

    source_id: str
    totals: ControlTotals
    created: int
    updated: int
    unchanged: int
    customers: int
    instalments: int
    transactions: int
    legal_bases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanFacts:
    """What a scenario may know of a loan: facts under a reference, no identity."""

    loan_ref: UUID
    customer_ref: UUID
    source_key: str
    principal: Decimal
    annual_rate: Decimal
    term_months: int
    instalment: Decimal
    issued_on: str
    status: LoanStatus
    balance: Decimal
    paid_principal: Decimal
    paid_interest: Decimal
    paid_late_fees: Decimal
    written_off: Decimal


def import_loans(
    rows: Iterable[LoanRow],
    *,
    source_id: str,
    totals: ControlTotals,
    actor: Actor,
    declared: DeclaredTotals | None = None,
) -> ImportReport:
    """Bring the loans of one source into the ledger, all of them or none.

    A row that is new becomes a loan with facility, schedule, postings and legal basis `contract`, whose evidence is
    the source row. A row whose digest changed updates its loan and adds the missing postings. An unchanged row does
    nothing, so a second import imports nothing twice.

    Args:
        rows: every loan of the source; held in memory, about 2 kB each.
        source_id: name of the data source.
        totals: count and sums as the source itself computes them.
        actor: who imports.
        declared: what the operator says is to come in; None where nobody declares anything.

    Raises:
        LoanRowError: a row breaks a rule of the ledger, or comes twice.
        ReconciliationError: rows, totals and ledger do not agree to the cent.

    Either error leaves the ledger as it was; the refusal is in the audit log.
    """
    try:
        with transaction.atomic():
            posting.lock_source(source_id)
            _check_declared(declared, totals)
            return _import(list(rows), source_id=source_id, totals=totals, actor=actor)
    except (LoanRowError, ReconciliationError) as refusal:
        audit.record_refusal(
            IMPORT_ACTION, actor=actor, object_type="source", object_ref=source_id, facts={"reason": refusal.code}
        )
        raise


def _import(rows: list[LoanRow], *, source_id: str, totals: ControlTotals, actor: Actor) -> ImportReport:
    _check_rows(rows)
    _reconcile("rows received", ControlTotals.of(rows), totals)
    known = {
        (table, key): (ref, bytes(digest))
        for ref, table, key, digest in Loan.objects.filter(source_id=source_id).values_list(
            "loan_ref", "source_table", "source_key", "source_digest"
        )
    }
    fresh = [row for row in rows if (row.table, row.key) not in known]
    changed = [
        (known[row.table, row.key][0], row)
        for row in rows
        if (row.table, row.key) in known and known[row.table, row.key][1] != row.digest
    ]
    new_customers = customers.register_many({row.customer_ref for row in rows})
    loans = posting.insert_loans(fresh, source_id=source_id)
    posting.update_loans(changed)
    instalments = posting.insert_schedules(loans)
    transactions = posting.insert_postings([*loans, *changed])
    bases = posting.record_bases(loans, source_id=source_id, actor=actor)
    _reconcile("ledger", ledger_totals(source_id, tables={row.table for row in rows}), totals)
    posting.check_postings(source_id)
    report = ImportReport(
        source_id=source_id,
        totals=totals,
        created=len(fresh),
        updated=len(changed),
        unchanged=len(rows) - len(fresh) - len(changed),
        customers=new_customers,
        instalments=instalments,
        transactions=transactions,
        legal_bases=bases,
    )
    audit.record(
        IMPORT_ACTION,
        actor=actor,
        object_type="source",
        object_ref=source_id,
        facts={
            "loans": totals.count,
            "created": report.created,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "legal_bases": bases,
            # with separators: a sum of eleven digits in cents would read like a telephone number
            **{name: f"{getattr(totals, name):,.2f}" for name in MONEY_FIELDS},
        },
    )
    return report


def _check_declared(declared: DeclaredTotals | None, totals: ControlTotals) -> None:
    if declared is not None and (told := declared.differences(totals)):
        raise ReconciliationError(f"declared totals and the source differ: {'; '.join(told)}; nothing was imported")


def _check_rows(rows: list[LoanRow]) -> None:
    seen: set[tuple[str, str]] = set()
    for row in rows:
        place = f"{row.table} row {row.key}"
        if (row.table, row.key) in seen:
            raise LoanRowError(f"{place}: comes twice; the key in the mapping is not unique")
        seen.add((row.table, row.key))
        if faults := faults_of(row):
            raise LoanRowError(f"{place}: {', '.join(faults)} breaks a rule of the ledger; correct the source")


def _reconcile(what: str, found: ControlTotals, expected: ControlTotals) -> None:
    if names := found.differences(expected):
        message = f"{what} and control totals differ in {', '.join(names)}; nothing was imported"
        raise ReconciliationError(message)


def ledger_totals(source_id: str, *, tables: Collection[str] = ()) -> ControlTotals:
    """Return count and sums of the source's loans as the ledger's own database computes them.

    Args:
        source_id: name of the data source.
        tables: only loans of these tables; of all where none is named.
    """
    loans = Loan.objects.filter(source_id=source_id)
    if tables:
        loans = loans.filter(source_table__in=tables)
    sums = loans.aggregate(count=Count("pk"), **{name: Sum(name) for name in MONEY_FIELDS})
    count = sums.pop("count")
    return ControlTotals(count=count, **{name: to_cents(value or ZERO) for name, value in sums.items()})


def facts_of(loan_refs: Collection[UUID]) -> dict[UUID, LoanFacts]:
    """Return the facts of the loans that exist among `loan_refs`; one query."""
    return {loan.loan_ref: _facts(loan) for loan in Loan.objects.filter(loan_ref__in=loan_refs)}


def loan(loan_ref: UUID) -> LoanFacts:
    """Return the facts of one loan.

    Raises:
        LoanNotFoundError: the ledger knows no such loan.
    """
    found = facts_of([loan_ref]).get(loan_ref)
    if found is None:
        raise LoanNotFoundError("loan_ref: no such loan")
    return found


def overdue_loans() -> list[LoanFacts]:
    """Return every loan that is not in order, oldest reference first; reads the status table, not a cache."""
    return [_facts(loan) for loan in Loan.objects.filter(status__overdue=True).order_by("loan_ref")]


def every_loan() -> list[LoanFacts]:
    """Return the facts of every loan, oldest reference first. Cost: one query, the whole book in memory."""
    return [_facts(loan) for loan in Loan.objects.order_by("loan_ref")]


def totals_by_status() -> Mapping[str, int]:
    """Return the number of loans of each status, with zero for a status nobody has."""
    counted = dict(Loan.objects.values_list("status").annotate(Count("pk")))
    return {code: counted.get(code, 0) for code in Status.objects.values_list("code", flat=True)}


def _facts(loan: Loan) -> LoanFacts:
    return LoanFacts(
        loan_ref=loan.loan_ref,
        customer_ref=loan.customer_id,
        source_key=loan.source_key,
        principal=loan.principal,
        annual_rate=loan.annual_rate,
        term_months=loan.term_months,
        instalment=loan.instalment,
        issued_on=loan.issued_on.isoformat(),
        status=LoanStatus(loan.status_id),
        balance=loan.balance,
        paid_principal=loan.paid_principal,
        paid_interest=loan.paid_interest,
        paid_late_fees=loan.paid_late_fees,
        written_off=loan.written_off,
    )
