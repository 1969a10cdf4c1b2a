"""What can go wrong on the way to an anonymous table. No message holds a value."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError


class AnonymityColumnError(InvalidInputError):
    """A named column is missing, named twice, or of a type that the operation does not take."""

    code: ClassVar[str] = "anonymity.column"


class AnonymityLevelError(InvalidInputError):
    """A bound or a way of generalising contradicts itself."""

    code: ClassVar[str] = "anonymity.level"


class PseudonymKeyError(InvalidInputError):
    """A pseudonym key is too short, or a package has no name."""

    code: ClassVar[str] = "anonymity.pseudonym_key"


class NotAnonymousEnoughError(ConflictError):
    """No way of generalising within the given limits reaches the bounds; nothing is released."""

    code: ClassVar[str] = "anonymity.not_enough"
