"""Annuity loans: equal instalments, exact to the cent.

All arithmetic is on whole numbers: cents, and the monthly rate as a fraction. Nothing is rounded but what the contract
rounds: the instalment up to the next cent, the interest of each month to the nearest cent (half up).

>>> annuity_instalment(Decimal(28000), annual_rate=Decimal("14.07"), term_months=60)
Decimal('652.53')
"""

import calendar
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from kuimen.kernels.schedules.errors import InstalmentTooSmallError, LoanTermsError

CENTS = 100
MONTHS_OF_YEAR = 12
PERCENT = 100
MAX_TERM_MONTHS = 600
MAX_ANNUAL_RATE = Decimal(1000)
MAX_PRINCIPAL = Decimal(10) ** 15


class LoanTerms(Protocol):
    """What a schedule needs to know of a loan; any record with these attributes will do."""

    @property
    def principal(self) -> Decimal:
        """Amount lent, in yuan, whole cents."""
        ...

    @property
    def annual_rate(self) -> Decimal:
        """Nominal rate in percent a year; a month is a twelfth of it."""
        ...

    @property
    def term_months(self) -> int:
        """Number of instalments, 1 to 600."""
        ...

    @property
    def instalment(self) -> Decimal:
        """Instalment of the contract, in yuan, whole cents; of a new contract :func:`annuity_instalment`."""
        ...

    @property
    def issued_on(self) -> date:
        """Day of disbursement; instalment k falls due k months later."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledInstalment:
    """One line of a schedule; money in yuan, whole cents.

    Attributes:
        number: 1 for the first instalment.
        due_on: the day it falls due.
        principal: part that repays the debt.
        interest: part that is interest of the month before.
        balance_after: debt that remains.
    """

    number: int
    due_on: date
    principal: Decimal
    interest: Decimal
    balance_after: Decimal

    @property
    def amount(self) -> Decimal:
        """Return what is to be paid."""
        return self.principal + self.interest


def to_cents(amount: Decimal, *, name: str) -> int:
    """Return an amount in cents.

    Raises:
        LoanTermsError: it is negative, not finite, beyond 10^15, or has fractions of a cent.
    """
    if not amount.is_finite() or not 0 <= amount <= MAX_PRINCIPAL or amount * CENTS != int(amount * CENTS):
        raise LoanTermsError(f"{name}: give an amount of 0 or more in whole cents")
    return int(amount * CENTS)


def _from_cents(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _monthly_rate(annual_rate: Decimal) -> tuple[int, int]:
    """Return numerator and denominator of the monthly rate."""
    if not annual_rate.is_finite() or not 0 <= annual_rate <= MAX_ANNUAL_RATE:
        raise LoanTermsError("annual_rate: give percent a year, 0 to 1000")
    numerator, denominator = annual_rate.as_integer_ratio()
    return numerator, denominator * PERCENT * MONTHS_OF_YEAR


def _check_term(term_months: int) -> None:
    if not 1 <= term_months <= MAX_TERM_MONTHS:
        raise LoanTermsError(f"term_months: give 1 to {MAX_TERM_MONTHS} instalments")


def _instalment_cents(principal: int, rate: tuple[int, int], term_months: int) -> int:
    """Return the annuity, rounded up to the next cent, of an amount in cents."""
    numerator, denominator = rate
    if not numerator:
        return -(-principal // term_months)
    growth: int = (denominator + numerator) ** term_months
    unit: int = denominator**term_months
    # principal x i x (1+i)^n / ((1+i)^n - 1), over the common denominator
    return -(-principal * numerator * growth // (denominator * (growth - unit)))


def annuity_instalment(principal: Decimal, *, annual_rate: Decimal, term_months: int) -> Decimal:
    """Return the equal monthly instalment, rounded up to the next cent.

    Args:
        principal: amount lent, in yuan, whole cents.
        annual_rate: nominal rate in percent a year, 0 to 1000.
        term_months: number of instalments, 1 to 600.

    Raises:
        LoanTermsError: a term is out of range.

    Guarantees:
        With interest left unrounded, paying it `term_months` times repays the loan and one cent less does not.
    """
    _check_term(term_months)
    cents = _instalment_cents(to_cents(principal, name="principal"), _monthly_rate(annual_rate), term_months)
    return _from_cents(cents)


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, or the last day of a shorter month."""
    year, month = divmod(day.year * MONTHS_OF_YEAR + day.month - 1 + months, MONTHS_OF_YEAR)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def annuity_schedule(terms: LoanTerms) -> tuple[ScheduledInstalment, ...]:
    """Draw up the contractual schedule of a loan.

    Args:
        terms: the loan; its own `instalment` is followed, also where it is not the annuity.

    Returns:
        `term_months` lines, in order. The last one absorbs what rounding left over. Where the instalments end the debt
        early, the remaining lines are zero.

    Raises:
        LoanTermsError: a term is out of range.
        InstalmentTooSmallError: the instalment does not pay the interest.

    Guarantees:
        The principal parts add up to the amount lent, to the cent, and no part is negative.

    Cost: O(n).
    """
    _check_term(terms.term_months)
    balance = to_cents(terms.principal, name="principal")
    instalment = to_cents(terms.instalment, name="instalment")
    numerator, denominator = _monthly_rate(terms.annual_rate)
    lines: list[ScheduledInstalment] = []
    for number in range(1, terms.term_months + 1):
        interest = (2 * balance * numerator + denominator) // (2 * denominator)
        if number == terms.term_months:
            principal = balance
        elif instalment < interest:
            raise InstalmentTooSmallError("instalment: it is smaller than the interest of a month; correct the terms")
        else:
            principal = min(instalment - interest, balance)
        balance -= principal
        lines.append(
            ScheduledInstalment(
                number=number,
                due_on=add_months(terms.issued_on, number),
                principal=_from_cents(principal),
                interest=_from_cents(interest),
                balance_after=_from_cents(balance),
            )
        )
    return tuple(lines)
