import itertools
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuimen.kernels.schedules import (
    InstalmentTooSmallError,
    LoanTermsError,
    add_months,
    annuity_instalment,
    annuity_schedule,
)

amounts = st.integers(1, 10**10).map(lambda cents: Decimal(cents).scaleb(-2))
rates = st.integers(0, 36_00).map(lambda hundredths: Decimal(hundredths).scaleb(-2))
terms = st.integers(1, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    principal: Decimal
    annual_rate: Decimal
    term_months: int
    instalment: Decimal
    issued_on: date = date(2024, 1, 31)


def debt_left(principal: Decimal, rate: Decimal, term: int, instalment: Decimal) -> Fraction:
    debt, growth = Fraction(principal), 1 + Fraction(rate) / 1200
    for _ in range(term):
        debt = debt * growth - Fraction(instalment)
    return debt


@given(amounts, rates, terms)
def test_the_instalment_repays_and_one_cent_less_does_not(principal: Decimal, rate: Decimal, term: int) -> None:
    instalment = annuity_instalment(principal, annual_rate=rate, term_months=term)
    assert debt_left(principal, rate, term, instalment) <= 0
    assert debt_left(principal, rate, term, instalment - Decimal("0.01")) > 0


@given(amounts, rates, terms)
def test_principal_parts_add_up_and_nothing_is_negative(principal: Decimal, rate: Decimal, term: int) -> None:
    instalment = annuity_instalment(principal, annual_rate=rate, term_months=term)
    lines = annuity_schedule(Terms(principal=principal, annual_rate=rate, term_months=term, instalment=instalment))
    assert [line.number for line in lines] == list(range(1, term + 1))
    assert sum(line.principal for line in lines) == principal
    assert lines[-1].balance_after == 0
    assert all(min(line.principal, line.interest, line.balance_after) >= 0 for line in lines)
    assert all(line.amount <= instalment for line in lines[:-1])
    assert all(earlier.due_on < later.due_on for earlier, later in itertools.pairwise(lines))


def test_due_days_stay_within_short_months() -> None:
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2023, 12, 31), 2) == date(2024, 2, 29)
    assert add_months(date(2023, 12, 31), 12) == date(2024, 12, 31)


def test_an_instalment_below_the_interest_is_refused() -> None:
    terms = Terms(principal=Decimal(1000), annual_rate=Decimal(24), term_months=12, instalment=Decimal(1))
    with pytest.raises(InstalmentTooSmallError):
        annuity_schedule(terms)


@pytest.mark.parametrize(
    ("principal", "rate", "term"),
    [
        (Decimal("0.001"), Decimal(6), 12),
        (Decimal(-1), Decimal(6), 12),
        (Decimal("NaN"), Decimal(6), 12),
        (Decimal(1), Decimal(-1), 12),
        (Decimal(1), Decimal("Infinity"), 12),
        (Decimal(1), Decimal(6), 0),
        (Decimal(1), Decimal(6), 601),
    ],
)
def test_terms_out_of_range_are_refused(principal: Decimal, rate: Decimal, term: int) -> None:
    with pytest.raises(LoanTermsError):
        annuity_instalment(principal, annual_rate=rate, term_months=term)
