"""What can go wrong while the demo lender is being built."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, UnavailableError


class LoanTapeMissingError(UnavailableError):
    """The real loans come with the extra `demo`, which is not installed."""

    code: ClassVar[str] = "demo.loan_tape_missing"


class ForeignDatabaseError(ConflictError):
    """A database of the demo lender's name exists and was not made by this demonstration."""

    code: ClassVar[str] = "demo.foreign_database"


class LenderUnavailableError(UnavailableError):
    """The server refused to create or fill the demo lender's database."""

    code: ClassVar[str] = "demo.lender_unavailable"
