"""Errors of the loans room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError


class ReconciliationError(ConflictError):
    """What came in is not what was to come in; nothing was imported."""

    code: ClassVar[str] = "loans.reconciliation"


class LoanRowError(InvalidInputError):
    """A source row breaks a rule of the ledger; the message names the row's place and the field."""

    code: ClassVar[str] = "loans.row"


class IntakeMappingError(InvalidInputError):
    """The description of the source's tables is incomplete or does not fit the source."""

    code: ClassVar[str] = "loans.intake_mapping"


class SourceUnreadableError(UnavailableError):
    """The source database could not be read."""

    code: ClassVar[str] = "loans.source_unreadable"


class LoanNotFoundError(NotFoundError):
    """The ledger knows no such loan."""

    code: ClassVar[str] = "loans.not_found"
