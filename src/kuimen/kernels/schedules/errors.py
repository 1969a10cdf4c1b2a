"""Why a repayment schedule cannot be drawn up."""

from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError


class LoanTermsError(InvalidInputError):
    """Amount, rate, term or instalment are out of range."""

    code: ClassVar[str] = "schedules.loan_terms"


class InstalmentTooSmallError(InvalidInputError):
    """An instalment does not even pay the interest, so the debt would never end."""

    code: ClassVar[str] = "schedules.instalment_too_small"
