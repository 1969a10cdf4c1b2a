"""What can go wrong when identities are made up. No message holds a value."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError


class NoGeneratorError(InvalidInputError):
    """An element has no generator; nothing is made, since leaving the original would be the alternative."""

    code: ClassVar[str] = "fabrication.no_generator"


class FictitiousRangeError(InvalidInputError):
    """A range that is to hold made-up numbers is malformed, or a number in it could belong to somebody."""

    code: ClassVar[str] = "fabrication.range"


class RangeExhaustedError(ConflictError):
    """The fictitious range holds fewer values than the data has different ones."""

    code: ClassVar[str] = "fabrication.exhausted"


class ColumnValuesError(InvalidInputError):
    """A column holds values that its treatment can't take, or made-up ones don't fit into it."""

    code: ClassVar[str] = "fabrication.column_values"


class FabricationKeyError(InvalidInputError):
    """The key of a package is too short."""

    code: ClassVar[str] = "fabrication.key"
