"""What an analysis may be refused for."""

from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError


class AnalyzerRequestError(InvalidInputError, ValueError):
    """A parameter of the analysis is of the wrong form; also a ValueError, as callers of Presidio expect."""

    code: ClassVar[str] = "presidio.request"


class UnsupportedLanguageError(InvalidInputError, ValueError):
    """The language is not served; name one of `SUPPORTED_LANGUAGES`."""

    code: ClassVar[str] = "presidio.language"
