"""Why something cannot be masked."""

from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError


class MaskTypeError(InvalidInputError):
    """The values are no Arrow column."""

    code: ClassVar[str] = "masking.column_type"


class SpanError(InvalidInputError):
    """A place found in a text does not lie inside it."""

    code: ClassVar[str] = "masking.span"
