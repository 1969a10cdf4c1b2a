"""Errors of the consent room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError


class ConsentInputError(InvalidInputError):
    """A field of a document, act or basis breaks its rule."""

    code: ClassVar[str] = "consent.invalid_input"


class PreselectedConsentError(InvalidInputError):
    """The box was ticked before the customer came, so ticking it was no act of theirs."""

    code: ClassVar[str] = "consent.preselected"


class StaleDocumentError(ConflictError):
    """What was shown is not the current version; show the current one and ask again."""

    code: ClassVar[str] = "consent.stale_document"


class DocumentVersionError(ConflictError):
    """Another version of this document was published at the same moment; read the current one."""

    code: ClassVar[str] = "consent.document_version"


class ActTransitionError(ConflictError):
    """The act's state does not allow this event, for example a second withdrawal."""

    code: ClassVar[str] = "consent.act_transition"


class ConsentNotFoundError(NotFoundError):
    """No such document or act."""

    code: ClassVar[str] = "consent.not_found"
