"""What a loan is, what a row of a source must be, and when an import reconciles: values in, decision out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

CENT: Final = Decimal("0.01")
ZERO: Final = Decimal("0.00")


class LoanStatus(StrEnum):
    """How a loan stands with its repayments."""

    NORMAL = "normal"
    SETTLED = "settled"
    GRACE = "grace"
    LATE_16_30 = "late_16_30"
    LATE_31_120 = "late_31_120"
    CHARGED_OFF = "charged_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRule:
    """What follows from a status. Days past due are the status's bounds; `None` is no bound."""

    title_zh: str
    title_en: str
    overdue: bool
    days_from: int | None
    days_to: int | None


STATUS_TABLE: Final[Mapping[LoanStatus, StatusRule]] = MappingProxyType(
    {
        LoanStatus.NORMAL: StatusRule(title_zh="正常", title_en="In order", overdue=False, days_from=0, days_to=0),
        LoanStatus.SETTLED: StatusRule(title_zh="已结清", title_en="Settled", overdue=False, days_from=0, days_to=0),
        LoanStatus.GRACE: StatusRule(
            title_zh="宽限期", title_en="In grace period", overdue=True, days_from=1, days_to=15
        ),
        LoanStatus.LATE_16_30: StatusRule(
            title_zh="逾期16-30天", title_en="Late 16-30 days", overdue=True, days_from=16, days_to=30
        ),
        LoanStatus.LATE_31_120: StatusRule(
            title_zh="逾期31-120天", title_en="Late 31-120 days", overdue=True, days_from=31, days_to=120
        ),
        LoanStatus.CHARGED_OFF: StatusRule(
            title_zh="已核销", title_en="Charged off", overdue=True, days_from=121, days_to=None
        ),
    }
)
OVERDUE: Final = tuple(status for status, rule in STATUS_TABLE.items() if rule.overdue)


class TransactionKind(StrEnum):
    """What a posting is."""

    DISBURSEMENT = "disbursement"
    PRINCIPAL = "principal"
    INTEREST = "interest"
    LATE_FEE = "late_fee"
    WRITE_OFF = "write_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """One repayment of the source; amounts in yuan, whole cents, none negative."""

    key: str
    paid_on: date
    principal: Decimal = ZERO
    interest: Decimal = ZERO
    late_fee: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class LoanRow:
    """One loan as the source has it; money in yuan, whole cents; rate in percent a year.

    Attributes:
        table: where the row lies, `schema.table`.
        key: the row's key in its table, without personal data.
        digest: SM3 of the row as read, 32 bytes: the evidence of its legal basis.
        payments: the source's own repayments, or empty where it publishes totals only.
    """

    table: str
    key: str
    digest: bytes
    customer_ref: UUID
    facility_key: str
    principal: Decimal
    annual_rate: Decimal
    term_months: int
    instalment: Decimal
    issued_on: date
    status: LoanStatus
    balance: Decimal
    paid_principal: Decimal
    paid_interest: Decimal
    paid_late_fees: Decimal
    payments: tuple[PaymentRow, ...] = ()

    @property
    def written_off(self) -> Decimal:
        """What was lent, not repaid and is no longer asked for."""
        return self.principal - self.paid_principal - self.balance


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlTotals:
    """Count and sums of a set of loans. Two sets agree when every field is equal, to the cent."""

    count: int
    principal: Decimal
    balance: Decimal
    paid_principal: Decimal
    paid_interest: Decimal
    paid_late_fees: Decimal

    @classmethod
    def of(cls, rows: Iterable[LoanRow]) -> "ControlTotals":
        """Return the totals of `rows`."""
        count, sums = 0, dict.fromkeys(MONEY_FIELDS, ZERO)
        for row in rows:
            count += 1
            for name in MONEY_FIELDS:
                sums[name] += getattr(row, name)
        return cls(count=count, **sums)

    def differences(self, other: "ControlTotals") -> tuple[str, ...]:
        """Return the names of the fields in which two totals differ."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTotals:
    """What the operator says is to come in, from the lender's own books: a count, and sums in whole cents by field."""

    count: int
    cents: Mapping[str, int]

    def differences(self, found: ControlTotals) -> tuple[str, ...]:
        """Return each field that differs, with what was declared and what was found."""
        told = [] if self.count == found.count else [f"count declared {self.count}, found {found.count}"]
        for name, cents in self.cents.items():
            seen = int(getattr(found, name) * 100)
            if seen != cents:
                told.append(f"{name} declared {cents} cents, found {seen}")
        return tuple(told)


MONEY_FIELDS: Final = ("principal", "balance", "paid_principal", "paid_interest", "paid_late_fees")


def to_cents(value: Decimal) -> Decimal:
    """Return `value` in whole cents, half up, as PostgreSQL's `round(numeric, 2)` does for money."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def faults_of(row: LoanRow) -> tuple[str, ...]:
    """Return the rules of the ledger that a row breaks, as field names; empty for a good row."""
    faults = []
    if row.principal <= 0:
        faults.append("principal")
    if row.term_months <= 0:
        faults.append("term_months")
    if row.annual_rate < 0:
        faults.append("annual_rate")
    faults += [name for name in MONEY_FIELDS if getattr(row, name) < 0]
    faults += [name for name in (*MONEY_FIELDS, "instalment") if getattr(row, name) != to_cents(getattr(row, name))]
    if row.written_off and (row.status is not LoanStatus.CHARGED_OFF or row.written_off < 0):
        faults.append("balance")  # principal = repaid + outstanding, except where a loss was taken
    if row.status is LoanStatus.SETTLED and row.balance:
        faults.append("balance")
    if row.payments:
        for part, total in (
            ("principal", row.paid_principal),
            ("interest", row.paid_interest),
            ("late_fee", row.paid_late_fees),
        ):
            if sum((getattr(payment, part) for payment in row.payments), ZERO) != total:
                faults.append(f"payments.{part}")
    return tuple(dict.fromkeys(faults))
