"""Read loans out of a protected source, whatever its tables are called.

Which table is which, and which column holds what, is data: an :class:`IntakeMapping`, usually read from YAML. Rows and
control totals come from one snapshot of the source; totals are summed by the source's own database and rows by this
program, so that a row lost on the way cannot hide.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
import yaml
from psycopg import sql
from psycopg.conninfo import make_conninfo

from kuimen.kernels.ciphers import sm3
from kuimen.ledger.loans.errors import IntakeMappingError, LoanRowError, SourceUnreadableError
from kuimen.ledger.loans.rules import MONEY_FIELDS, ControlTotals, LoanRow, LoanStatus, PaymentRow, to_cents
from kuimen.sources.opening import connection_parameters

LOAN_FIELDS: Final = (
    "principal",
    "annual_rate",
    "term_months",
    "instalment",
    "issued_on",
    "status",
    "balance",
    "paid_principal",
    "paid_interest",
    "paid_late_fees",
)
PAYMENT_FIELDS: Final = ("paid_on", "principal", "interest", "late_fee")
_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or view of the source and the columns that identify its rows."""

    schema: str
    table: str
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return `schema.table`."""
        return f"{self.schema}.{self.table}"

    @property
    def identifier(self) -> sql.Identifier:
        """Return the quoted name."""
        return sql.Identifier(self.schema, self.table)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeMapping:
    """Where the loans of one source lie.

    Attributes:
        loans: the table of loans.
        fields: column of each of `LOAN_FIELDS`.
        statuses: the source's word for each status; a word that is missing here stops the import.
        facility_key: column that names the credit line, or empty: each loan is then its own line.
        customers: table with the customer reference, or `None` where the loans themselves carry it.
        join: loan column → customer column, where `customers` is given.
        customer_ref: the reference column that protection added.
        payments: table of repayments, or `None` where only totals exist.
        payment_loan: payment column → key column of the loan.
        payment_fields: column of each of `PAYMENT_FIELDS`; amounts that are missing count as nothing.
    """

    loans: Relation
    fields: Mapping[str, str]
    statuses: Mapping[str, LoanStatus]
    facility_key: str = ""
    customers: Relation | None = None
    join: Mapping[str, str] = field(default_factory=dict)
    customer_ref: str = "customer_ref"
    payments: Relation | None = None
    payment_loan: Mapping[str, str] = field(default_factory=dict)
    payment_fields: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a mapping that could not be carried out."""
        missing = sorted(set(LOAN_FIELDS) - set(self.fields)) + ([] if self.loans.key else ["loans.key"])
        unknown = sorted(set(self.fields) - set(LOAN_FIELDS)) + sorted(set(self.payment_fields) - set(PAYMENT_FIELDS))
        if missing or unknown:
            raise IntakeMappingError(f"mapping: missing {missing or 'nothing'}, unknown {unknown or 'nothing'}")
        if self.customers is not None and not self.join:
            raise IntakeMappingError("mapping: `customers` needs `join`, loan column to customer column")
        if self.payments is not None and not ({"paid_on", "principal"} <= set(self.payment_fields)):
            raise IntakeMappingError("mapping: `payments` needs at least the columns of paid_on and principal")
        if self.payments is not None and set(self.payment_loan.values()) != set(self.loans.key):
            raise IntakeMappingError("mapping: `payments.loan` must name a column for every key column of the loans")

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "IntakeMapping":
        """Build a mapping from parsed YAML or JSON.

        Raises:
            IntakeMappingError: a part is missing or has the wrong shape.
        """
        try:
            loans, customer, payments = data["loans"], data.get("customer") or {}, data.get("payments")
            return cls(
                loans=_relation(loans),
                fields={str(name): str(column) for name, column in loans["fields"].items()},
                statuses={str(word): LoanStatus(status) for word, status in loans["statuses"].items()},
                facility_key=str(loans.get("facility_key", "")),
                customers=_relation(customer) if "table" in customer else None,
                join={str(ours): str(theirs) for ours, theirs in customer.get("join", {}).items()},
                customer_ref=str(customer.get("reference", "customer_ref")),
                payments=_relation(payments) if payments else None,
                payment_loan=dict(payments["loan"]) if payments else {},
                payment_fields=dict(payments["fields"]) if payments else {},
            )
        except (KeyError, TypeError, AttributeError, ValueError):
            message = "mapping: needs loans (schema, table, key, fields, statuses) and customer (reference, join)"
            raise IntakeMappingError(message) from None

    @classmethod
    def from_yaml(cls, path: Path) -> "IntakeMapping":
        """Read a mapping file.

        Raises:
            IntakeMappingError: not readable as YAML, or not a mapping.
        """
        try:
            data = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            raise IntakeMappingError("mapping: the file cannot be read as YAML") from None
        if not isinstance(data, dict):
            raise IntakeMappingError("mapping: the file must hold names and values")
        return cls.from_data(data)


def _relation(data: Mapping[str, Any]) -> Relation:
    key = data.get("key", [])
    columns = (key,) if isinstance(key, str) else tuple(str(column) for column in key)
    return Relation(schema=str(data.get("schema", "public")), table=str(data["table"]), key=columns)


class LoanSource:
    """The loans of one source in one read-only snapshot."""

    def __init__(self, connection: psycopg.Connection[Any], mapping: IntakeMapping) -> None:
        """Read through `connection`, which stands in a repeatable-read transaction."""
        self._connection = connection
        self._mapping = mapping
        self.rounded = 0  # values that carried fractions of a cent and were rounded half up

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
