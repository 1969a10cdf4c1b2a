"""Writes loans, schedules and postings in bulk; every function runs inside the import's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import sql

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit.services import Actor
from kuimen.gate.consent import services as consent
from kuimen.kernels.schedules import (
    InstalmentTooSmallError,
    LoanTermsError,
    ScheduledInstalment,
    annuity_schedule,
)
from kuimen.ledger.loans.errors import LoanRowError, ReconciliationError
from kuimen.ledger.loans.models import Loan
from kuimen.ledger.loans.rules import ZERO, LoanRow, TransactionKind

NumberedRow = tuple[UUID, LoanRow]
UPDATED_FIELDS = (
    "status_id",
    "balance",
    "paid_principal",
    "paid_interest",
    "paid_late_fees",
    "written_off",
    "source_digest",
)


def lock_source(source_id: str) -> None:
    """Let one import of a source run at a time; the lock ends with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"kuimen.import/{source_id}"])


def insert_loans(rows: Sequence[LoanRow], *, source_id: str) -> list[NumberedRow]:
    """Insert facilities and loans of new rows and return each row under its new reference."""
    facilities = _insert_facilities(rows, source_id=source_id)
    numbered = [(new_ref(), row) for row in rows]
    moment = clock.now()
    _copy(
        "loans_loan",
        (
            "loan_ref", "customer_id", "facility_id", "source_id", "source_table", "source_key", "source_digest",
            "principal", "annual_rate", "term_months", "instalment", "issued_on", "status", "balance",
            "paid_principal", "paid_interest", "paid_late_fees", "written_off", "imported_at",
        ),
        (
            (
                ref, row.customer_ref, facilities[row.facility_key], source_id, row.table, row.key, row.digest,
                row.principal, row.annual_rate, row.term_months, row.instalment, row.issued_on, row.status.value,
                row.balance, row.paid_principal, row.paid_interest, row.paid_late_fees, row.written_off, moment,
            )
            for ref, row in numbered
        ),
    )  # fmt: skip
    return numbered


def _insert_facilities(rows: Sequence[LoanRow], *, source_id: str) -> dict[str, UUID]:
    """Insert the credit lines that are missing; the limit of a line is the sum of what was drawn on it."""
    limits: dict[str, Decimal] = {}
    firsts: dict[str, LoanRow] = {}
    for row in rows:
        limits[row.facility_key] = limits.get(row.facility_key, ZERO) + row.principal
        firsts.setdefault(row.facility_key, row)
    found: dict[str, UUID] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT source_key, facility_ref FROM loans_facility WHERE source_id = %s AND source_key = ANY(%s)",
            [source_id, list(limits)],
        )
        found.update(cursor.fetchall())
    drawn = {key: new_ref() for key in limits if key not in found}
    _copy(
        "loans_facility",
        ("facility_ref", "customer_id", "source_id", "source_key", "credit_limit", "granted_on"),
        (
            (ref, firsts[key].customer_ref, source_id, key, limits[key], firsts[key].issued_on)
            for key, ref in drawn.items()
        ),
    )
    return found | drawn


def update_loans(changed: Sequence[NumberedRow]) -> None:
    """Bring the facts of changed rows up to date; terms of the contract are facts as well and follow the source."""
    loans = Loan.objects.in_bulk([ref for ref, _ in changed])
    for ref, row in changed:
        loan = loans[ref]
        loan.status_id, loan.balance = row.status.value, row.balance
        loan.paid_principal, loan.paid_interest = row.paid_principal, row.paid_interest
        loan.paid_late_fees, loan.written_off = row.paid_late_fees, row.written_off
        loan.source_digest = row.digest
    Loan.objects.bulk_update(loans.values(), UPDATED_FIELDS, batch_size=500)


def insert_schedules(loans: Sequence[NumberedRow]) -> int:
    """Insert the contractual schedule of each new loan and return the number of instalments.

    Lines are written as COPY text: references, whole numbers, dates and amounts hold nothing that needs escaping, and
    it takes half the time of adapting each of half a million values.
    """
    statement = "COPY loans_instalment (loan_id, number, due_on, principal, interest, balance_after) FROM STDIN"
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for ref, row in loans:
            lines = _schedule(row)
            count += len(lines)
            copy.write(
                "".join(
                    f"{ref}\t{line.number}\t{line.due_on}\t{line.principal}\t{line.interest}\t{line.balance_after}\n"
                    for line in lines
                )
            )
    return count


def _schedule(row: LoanRow) -> Sequence[ScheduledInstalment]:
    try:
        return annuity_schedule(row)
    except (LoanTermsError, InstalmentTooSmallError) as fault:
        raise LoanRowError(f"{row.table} row {row.key}: {fault}") from None


def insert_postings(loans: Sequence[NumberedRow]) -> int:
    """Insert the postings that a loan does not have yet and return how many.

    Where the source has its repayments, each becomes a posting under the repayment's key. Where it publishes totals
    only, the difference to what is posted already becomes one posting under the row's digest.
    """
    posted: dict[UUID, dict[tuple[str, str], Decimal]] = {ref: {} for ref, _ in loans}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loan_id, kind, source_key, amount FROM loans_transaction WHERE loan_id = ANY(%s)", [list(posted)]
        )
        for ref, kind, key, amount in cursor.fetchall():
            posted[ref][kind, key] = amount
    return _copy(
        "loans_transaction",
        ("loan_id", "kind", "booked_on", "amount", "source_key"),
        (line for ref, row in loans for line in _missing_postings(ref, row, posted[ref])),
    )


def _missing_postings(
    ref: UUID, row: LoanRow, posted: dict[tuple[str, str], Decimal]
) -> Iterator[tuple[UUID, str, date, Decimal, str]]:
    for kind, booked_on, amount, key in _postings(row, posted):
        if amount and (kind.value, key) not in posted:
            yield (ref, kind.value, booked_on, amount, key)


def _postings(
    row: LoanRow, posted: dict[tuple[str, str], Decimal]
) -> Iterator[tuple[TransactionKind, date, Decimal, str]]:
    yield TransactionKind.DISBURSEMENT, row.issued_on, row.principal, row.key
    parts = (
        (TransactionKind.PRINCIPAL, "principal", row.paid_principal),
        (TransactionKind.INTEREST, "interest", row.paid_interest),
        (TransactionKind.LATE_FEE, "late_fee", row.paid_late_fees),
    )
    position = f"position {row.digest.hex()[:16]}"
    for kind, name, total in parts:
        if row.payments:
            for payment in row.payments:
                yield kind, payment.paid_on, getattr(payment, name), payment.key
        else:
            yield kind, clock.today(), total - _sum(posted, kind), position
    yield TransactionKind.WRITE_OFF, clock.today(), row.written_off - _sum(posted, TransactionKind.WRITE_OFF), position


def _sum(posted: dict[tuple[str, str], Decimal], kind: TransactionKind) -> Decimal:
    return sum((amount for (found, _), amount in posted.items() if found == kind.value), ZERO)


def check_postings(source_id: str) -> None:
    """Refuse the import when the postings of any loan do not add up to its facts, to the cent.

    Raises:
        ReconciliationError: names how many loans differ.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT count(*) FROM loans_loan loan
            LEFT JOIN LATERAL (
                SELECT coalesce(sum(amount) FILTER (WHERE kind = 'disbursement'), 0) AS disbursed,
                       coalesce(sum(amount) FILTER (WHERE kind = 'principal'), 0) AS principal,
                       coalesce(sum(amount) FILTER (WHERE kind = 'interest'), 0) AS interest,
                       coalesce(sum(amount) FILTER (WHERE kind = 'late_fee'), 0) AS late_fee,
                       coalesce(sum(amount) FILTER (WHERE kind = 'write_off'), 0) AS written_off
                FROM loans_transaction posting WHERE posting.loan_id = loan.loan_ref
            ) sums ON true
            WHERE loan.source_id = %s
              AND (sums.disbursed, sums.principal, sums.interest, sums.late_fee, sums.written_off)
                  IS DISTINCT FROM (loan.principal, loan.paid_principal, loan.paid_interest, loan.paid_late_fees,
                                    loan.written_off)
            """,
            [source_id],
        )
        row = cursor.fetchone()
    if row and row[0]:
        raise ReconciliationError(f"postings of {row[0]} loans do not add up to their facts; nothing was imported")


def record_bases(loans: Sequence[NumberedRow], *, source_id: str, actor: Actor) -> int:
    """Record legal basis `contract` for each new loan, with its source row as evidence."""
    return consent.record_contract_bases(
        [
            consent.ContractEvidence(
                customer_ref=row.customer_ref,
                source_id=source_id,
                source_table=row.table,
                source_key=row.key,
                digest=row.digest,
                since=row.issued_on,
            )
            for _, row in loans
        ],
        actor=actor,
    )


def _copy(table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> int:
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
