"""What can go wrong between an ORM and a sealed column. No message holds a value."""

from typing import ClassVar

from kuimen.foundation.errors import ConflictError, InvalidInputError, UnavailableError


class ClearValueRefusedError(InvalidInputError):
    """A clear value was about to reach a sealed column by a way on which its row is not known."""

    code: ClassVar[str] = "orm.clear_value"


class SealedLookupError(InvalidInputError):
    """A sealed column is searched for equality only."""

    code: ClassVar[str] = "orm.lookup"


class CompanionMissingError(InvalidInputError):
    """A sealed column is searched that has no blind index beside it."""

    code: ClassVar[str] = "orm.companion"


class MaskedCopyError(InvalidInputError):
    """A masked copy of a value was about to replace the value itself."""

    code: ClassVar[str] = "orm.masked_copy"


class RowKeyChangedError(ConflictError):
    """The key of a row was changed, to which its sealed values are bound."""

    code: ClassVar[str] = "orm.row_key_changed"


class ColumnKeysMissingError(UnavailableError):
    """The process has not been given the keys of its sealed columns."""

    code: ClassVar[str] = "orm.keys"


class KeyFileError(UnavailableError):
    """The key file or its passphrase cannot be read, or is open to others."""

    code: ClassVar[str] = "orm.key_file"
