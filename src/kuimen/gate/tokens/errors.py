"""Errors of the tokens room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError


class TokenInputError(InvalidInputError):
    """A field of a token request breaks its rule."""

    code: ClassVar[str] = "tokens.invalid_input"


class TokenNotFoundError(NotFoundError):
    """No such token for this partner in this domain. Foreign, suspended, expired and invented ones are alike."""

    code: ClassVar[str] = "tokens.not_found"


class TokenTransitionError(ConflictError):
    """The state of a token does not allow this event."""

    code: ClassVar[str] = "tokens.transition"


class TokenSpaceError(ConflictError):
    """Drawn tokens were taken again and again: the form has too few left."""

    code: ClassVar[str] = "tokens.space"
