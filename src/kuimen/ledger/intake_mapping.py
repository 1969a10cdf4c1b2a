"""Which table of a source holds the loans and which column holds what: data, usually read from YAML."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml
from jsonschema import Draft202012Validator
from psycopg import sql

from kuimen.ledger.loans.errors import IntakeMappingError
from kuimen.ledger.loans.rules import LoanStatus

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
        check_shape(data)
        return cls.from_data(data)

    def names(self) -> dict[tuple[str, str], set[str]]:
        """Return every column that the mapping names, by schema and table."""
        wanted = {(self.loans.schema, self.loans.table): {*self.loans.key, *self.fields.values()}}
        own = wanted[self.loans.schema, self.loans.table]
        own |= {self.facility_key} if self.facility_key else set()
        if self.customers is None:
            own.add(self.customer_ref)
        else:
            own |= set(self.join)
            wanted[self.customers.schema, self.customers.table] = {*self.join.values(), self.customer_ref}
        if self.payments is not None:
            place = (self.payments.schema, self.payments.table)
            wanted[place] = {*self.payments.key, *self.payment_loan, *self.payment_fields.values()}
        return wanted


def check_shape(data: Mapping[str, Any]) -> None:
    """Hold a parsed mapping against its schema.

    Raises:
        IntakeMappingError: names the place in the file and what is wrong there.
    """
    schema = json.loads(files("kuimen.ledger").joinpath("intake.schema.json").read_text(encoding="utf-8"))
    faults = sorted(Draft202012Validator(schema).iter_errors(data), key=lambda fault: list(map(str, fault.path)))
    if faults:
        told = "; ".join(f"{'.'.join(map(str, fault.path)) or 'top level'}: {fault.message}" for fault in faults[:5])
        raise IntakeMappingError(f"mapping: {told}. `kuimen import --example` prints a whole one")


def example_mapping() -> str:
    """Return an annotated example of a mapping file."""
    return files("kuimen.ledger").joinpath("intake.example.yaml").read_text(encoding="utf-8")


def _relation(data: Mapping[str, Any]) -> Relation:
    key = data.get("key", [])
    columns = (key,) if isinstance(key, str) else tuple(str(column) for column in key)
    return Relation(schema=str(data.get("schema", "public")), table=str(data["table"]), key=columns)
