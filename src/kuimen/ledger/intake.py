"""Read loans out of a protected source, whatever its tables are called.

Which table is which, and which column holds what, is data: an :class:`IntakeMapping`, usually read from YAML. Rows and
control totals come from one snapshot of the source; totals are summed by the source's own database and rows by this
program, so that a row lost on the way cannot hide.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kuimen.kernels.ciphers import sm3
from kuimen.ledger.intake_mapping import (
    LOAN_FIELDS,
    PAYMENT_FIELDS,
    IntakeMapping,
    example_mapping,
)
from kuimen.ledger.loans.errors import IntakeMappingError, LoanRowError, SourceUnreadableError
from kuimen.ledger.loans.rules import MONEY_FIELDS, ControlTotals, LoanRow, PaymentRow, to_cents
from kuimen.sources.opening import connection_parameters

__all__ = ["IntakeMapping", "LoanSource", "example_mapping", "open_loan_source", "row_digest"]

_BATCH: Final = 2_000
_COLUMNS: Final = (
    "SELECT attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON"
    " n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped"
)


class LoanSource:
    """The loans of one source in one read-only snapshot."""

    def __init__(self, connection: psycopg.Connection[Any], mapping: IntakeMapping) -> None:
        """Read through `connection`, which stands in a repeatable-read transaction."""
        self._connection = connection
        self._mapping = mapping
        self.rounded = 0  # values that carried fractions of a cent and were rounded half up

    def check_names(self) -> None:
        """Refuse a mapping that names a table or column which the source does not have.

        Raises:
            IntakeMappingError: lists what is missing.
        """
        missing = []
        for (schema, table), columns in self._mapping.names().items():
            with _translated():
                rows = self._connection.execute(_COLUMNS, [schema, table]).fetchall()
            known = {name for (name,) in rows}
            if not known:
                missing.append(f"table {schema}.{table}")
            else:
                missing += [f"column {schema}.{table}.{name}" for name in sorted(columns - known)]
        if missing:
            raise IntakeMappingError(f"mapping: the source has no {', no '.join(missing)}")

    def totals(self) -> ControlTotals:
        """Return count and sums as the source's database computes them, each value rounded to the cent."""
        sums = sql.SQL(", ").join(
            sql.SQL("coalesce(sum(round({}::numeric, 2)), 0)").format(sql.Identifier(self._mapping.fields[name]))
            for name in MONEY_FIELDS
        )
        query = sql.SQL("SELECT count(*), {} FROM {}").format(sums, self._mapping.loans.identifier)
        with _translated():
            row = self._connection.execute(query).fetchone()
        assert row is not None  # an aggregate without GROUP BY has one row
        return ControlTotals(count=int(row[0]), **dict(zip(MONEY_FIELDS, map(to_cents, row[1:]), strict=True)))

    def rows(self) -> Iterator[LoanRow]:
        """Yield the loans in key order, read in batches through a server-side cursor.

        Raises:
            LoanRowError: a value has the wrong type, the status is unknown, or the customer reference is missing.
        """
        mapping = self._mapping
        payments = self._payments()
        with _translated(), self._connection.cursor(name="kuimen_intake_loans") as cursor:
            cursor.itersize = _BATCH
            cursor.execute(self._loan_query())
            for record in cursor:
                key_values, raw = record[: len(mapping.loans.key)], record[len(mapping.loans.key) :]
                yield self._row(key_values, raw, payments)

    def _loan_query(self) -> sql.Composed:
        mapping = self._mapping
        loan = sql.Identifier("loan")
        columns: list[sql.Composable] = [_column(loan, name) for name in mapping.loans.key]
        columns += [_column(loan, mapping.fields[name]) for name in LOAN_FIELDS]
        columns.append(_column(loan, mapping.facility_key) if mapping.facility_key else sql.SQL("NULL"))
        source: sql.Composable = sql.SQL("{} AS {}").format(mapping.loans.identifier, loan)
        if mapping.customers is None:
            columns.append(_column(loan, mapping.customer_ref))
        else:
            person = sql.Identifier("person")
            columns.append(_column(person, mapping.customer_ref))
            matches = sql.SQL(" AND ").join(
                sql.SQL("{} = {}").format(_column(person, theirs), _column(loan, ours))
                for ours, theirs in mapping.join.items()
            )
            # A loan without its customer must fail loudly, so it must not vanish in the join.
            source = sql.SQL("{} LEFT JOIN {} AS {} ON {}").format(
                source, mapping.customers.identifier, person, matches
            )
        order = sql.SQL(", ").join(_column(loan, name) for name in mapping.loans.key)
        return sql.SQL("SELECT {} FROM {} ORDER BY {}").format(sql.SQL(", ").join(columns), source, order)

    def _payments(self) -> dict[tuple[Any, ...], tuple[PaymentRow, ...]]:
        """Return the repayments by loan key; some 100 bytes of memory for each."""
        mapping = self._mapping
        if mapping.payments is None:
            return {}
        by_key = {theirs: ours for ours, theirs in mapping.payment_loan.items()}
        payment = sql.Identifier("payment")
        columns = [_column(payment, by_key[name]) for name in mapping.loans.key]
        columns += [_column(payment, name) for name in mapping.payments.key]
        names = [name for name in PAYMENT_FIELDS if name in mapping.payment_fields]
        columns += [_column(payment, mapping.payment_fields[name]) for name in names]
        query = sql.SQL("SELECT {} FROM {} AS {}").format(
            sql.SQL(", ").join(columns), mapping.payments.identifier, payment
        )
        loan_width, key_width = len(mapping.loans.key), len(mapping.payments.key)
        drafts: dict[tuple[Any, ...], list[PaymentRow]] = {}
        with _translated(), self._connection.cursor(name="kuimen_intake_payments") as cursor:
            cursor.itersize = _BATCH
            cursor.execute(query)
            for record in cursor:
                loan_key = tuple(record[:loan_width])
                key = "/".join(map(str, record[loan_width : loan_width + key_width]))
                values = dict(zip(names, record[loan_width + key_width :], strict=True))
                place = f"{mapping.payments.name} row {key}"
                drafts.setdefault(loan_key, []).append(
                    PaymentRow(
                        key=key,
                        paid_on=_date(values.pop("paid_on"), place=place, field_name="paid_on"),
                        **{name: self._money(value, place=place, field_name=name) for name, value in values.items()},
                    )
                )
        return {key: tuple(rows) for key, rows in drafts.items()}

    def _row(
        self,
        key_values: tuple[Any, ...],
        raw: tuple[Any, ...],
        payments: Mapping[tuple[Any, ...], tuple[PaymentRow, ...]],
    ) -> LoanRow:
        mapping = self._mapping
        key = "/".join(map(str, key_values))
        place = f"{mapping.loans.name} row {key}"
        values = dict(zip(LOAN_FIELDS, raw, strict=False))
        facility_key, customer_ref = raw[len(LOAN_FIELDS) :]
        if not isinstance(customer_ref, UUID):
            raise LoanRowError(f"{place}: {mapping.customer_ref} holds no customer reference; protect the source first")
        word = str(values["status"])
        if word not in mapping.statuses:
            raise LoanRowError(f"{place}: status is a word that the mapping does not know; add it to `statuses`")
        money = {
            name: self._money(values[name], place=place, field_name=name) for name in (*MONEY_FIELDS, "instalment")
        }
        return LoanRow(
            table=mapping.loans.name,
            key=key,
            digest=row_digest(mapping.loans.name, dict(zip(mapping.loans.key, key_values, strict=True)), values),
            customer_ref=customer_ref,
            facility_key=key if facility_key is None else str(facility_key),
            annual_rate=_decimal(values["annual_rate"], place=place, field_name="annual_rate"),
            term_months=_whole(values["term_months"], place=place, field_name="term_months"),
            issued_on=_date(values["issued_on"], place=place, field_name="issued_on"),
            status=mapping.statuses[word],
            payments=payments.get(tuple(key_values), ()),
            **money,
        )

    def _money(self, value: object, *, place: str, field_name: str) -> Decimal:
        exact = _decimal(value, place=place, field_name=field_name)
        cents = to_cents(exact)
        self.rounded += cents != exact
        return cents


@contextmanager
def open_loan_source(
    location: str, mapping: IntakeMapping, *, credentials_file: Path | None = None
) -> Iterator[LoanSource]:
    """Open the source in one read-only snapshot for the length of the block.

    Args:
        location: PostgreSQL address of the protected source.
        mapping: where its loans lie.
        credentials_file: as for `kuimen.sources.open_source`.

    Raises:
        SourceUnreadableError: the database refuses, or a named table or column does not exist.
    """
    parameters = connection_parameters(location, credentials_file=credentials_file)
    with _translated():
        connection = psycopg.connect(make_conninfo("", connect_timeout=10, **parameters), application_name="kuimen")
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield LoanSource(connection, mapping)


def row_digest(table: str, key: Mapping[str, object], values: Mapping[str, object]) -> bytes:
    """Return the SM3 digest of a source row in canonical form: the evidence a legal basis points to.

    The form is JSON with sorted names, values as PostgreSQL's text, no spaces, UTF-8. It holds loan facts only.
    """
    body = {"table": table, "key": {k: str(v) for k, v in key.items()}, "row": {k: str(v) for k, v in values.items()}}
    text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sm3(text.encode())


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the driver's errors into ours, without their text: it may quote values."""
    try:
        yield
    except psycopg.Error as error:
        state = error.sqlstate or "no answer"
        message = f"the source could not be read (SQLSTATE {state}); check its address, role and the mapping's names"
        raise SourceUnreadableError(message) from None


def _column(table: sql.Identifier, name: str) -> sql.Composed:
    return sql.SQL("{}.{}").format(table, sql.Identifier(name))


def _decimal(value: object, *, place: str, field_name: str) -> Decimal:
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        raise LoanRowError(f"{place}: {field_name} is not a number") from None
    if not number.is_finite():
        raise LoanRowError(f"{place}: {field_name} is not a finite number")
    return number


def _whole(value: object, *, place: str, field_name: str) -> int:
    number = _decimal(value, place=place, field_name=field_name)
    if number != number.to_integral_value():
        raise LoanRowError(f"{place}: {field_name} is not a whole number")
    return int(number)


def _date(value: object, *, place: str, field_name: str) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise LoanRowError(f"{place}: {field_name} is not a date; map a DATE column or text like 2026-01-31") from None
