"""What can go wrong with the shape of tokens."""

from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError


class TokenFormError(InvalidInputError):
    """A form gives too few tokens, or none that looks like a card number."""

    code: ClassVar[str] = "tokens.form"


class TokenEntropyError(InvalidInputError):
    """Too few random bytes were given."""

    code: ClassVar[str] = "tokens.entropy"
