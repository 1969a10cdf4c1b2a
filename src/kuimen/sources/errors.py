"""What can go wrong with somebody else's data. Texts name places and what to do, never values or passwords."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError


class SourceLocationError(InvalidInputError):
    """The location is neither a database address nor a file or folder that exists."""

    code: ClassVar[str] = "sources.location"


class CredentialsFileError(InvalidInputError):
    """The credentials file cannot be read or holds something else than `key=value` lines or one password."""

    code: ClassVar[str] = "sources.credentials_file"


class SourceUnavailableError(UnavailableError):
    """The database refuses or does not answer; the driver's text is withheld because it may hold values."""

    code: ClassVar[str] = "sources.unavailable"


class RelationGoneError(NotFoundError):
    """A table or file vanished between listing and reading."""

    code: ClassVar[str] = "sources.relation_gone"


class RelationUnreadableError(UnavailableError):
    """A table or file is locked, too slow, forbidden or broken; the reason says which."""

    code: ClassVar[str] = "sources.relation_unreadable"


class UnredactableFileError(InvalidInputError):
    """A file whose lines cannot be redacted: no text, UTF-16, or a link."""

    code: ClassVar[str] = "sources.unredactable_file"


class FileChangedError(ConflictError):
    """A file was written to while it was being replaced; nothing was done."""

    code: ClassVar[str] = "sources.file_changed"
