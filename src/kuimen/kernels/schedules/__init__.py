"""Repayment schedules, exact to the cent."""

from kuimen.kernels.schedules.annuity import (
    LoanTerms,
    ScheduledInstalment,
    add_months,
    annuity_instalment,
    annuity_schedule,
)
from kuimen.kernels.schedules.errors import InstalmentTooSmallError, LoanTermsError

__all__ = [
    "InstalmentTooSmallError",
    "LoanTerms",
    "LoanTermsError",
    "ScheduledInstalment",
    "add_months",
    "annuity_instalment",
    "annuity_schedule",
]
