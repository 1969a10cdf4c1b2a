"""Errors of the approvals room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, DeniedError, InvalidInputError, NotFoundError


class TicketNotFoundError(NotFoundError):
    """No such ticket."""

    code: ClassVar[str] = "approvals.not_found"


class TicketTransitionError(ConflictError):
    """The ticket's state does not allow this event: decided, used, withdrawn or expired already."""

    code: ClassVar[str] = "approvals.transition"


class TicketMismatchError(DeniedError):
    """What is to be done is not what was approved, or another person than the maker would do it."""

    code: ClassVar[str] = "approvals.mismatch"


class TicketInputError(InvalidInputError):
    """A field of the request breaks its rule."""

    code: ClassVar[str] = "approvals.invalid_input"
