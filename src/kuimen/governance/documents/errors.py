"""Errors of the documents room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError


class TextInputError(InvalidInputError):
    """A field of a document breaks its rule."""

    code: ClassVar[str] = "documents.invalid_input"


class TextNotFoundError(NotFoundError):
    """No such document."""

    code: ClassVar[str] = "documents.not_found"


class TextTransitionError(ConflictError):
    """The document's state does not allow this event; read it again."""

    code: ClassVar[str] = "documents.transition"


class DraftWaitsError(ConflictError):
    """A draft of this document waits for its decision already."""

    code: ClassVar[str] = "documents.draft_waits"
