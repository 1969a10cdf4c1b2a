"""Errors of the standard room."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError


class UnknownClauseError(InvalidInputError):
    """A clause id is cited that the catalogue does not hold; correct the id."""

    code: ClassVar[str] = "standard.unknown_clause"


class BrokenCatalogueError(InvalidInputError):
    """The catalogue data contradicts itself; correct the data file named in the message."""

    code: ClassVar[str] = "standard.broken_catalogue"


class EmptyEvidenceError(InvalidInputError):
    """A probe claims an outcome without an observation; observe something or return INSUFFICIENT."""

    code: ClassVar[str] = "standard.empty_evidence"


class DuplicateControlError(ConflictError):
    """The same probe is registered twice for one clause; remove one registration."""

    code: ClassVar[str] = "standard.duplicate_control"
