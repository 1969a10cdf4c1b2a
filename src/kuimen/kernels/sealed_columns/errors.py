"""What can go wrong with a sealed column before any cipher is asked."""

from typing import ClassVar

from kuimen.foundation.errors import DeniedError, InvalidInputError


class RowKeyError(InvalidInputError):
    """A row has no key that a value could be bound to."""

    code: ClassVar[str] = "sealed_columns.row_key"


class KeyDocumentError(InvalidInputError):
    """Bytes are not the key file of an application."""

    code: ClassVar[str] = "sealed_columns.key_document"


class WrongPhraseError(DeniedError):
    """The passphrase does not open the key file, or the file was altered."""

    code: ClassVar[str] = "sealed_columns.wrong_phrase"
