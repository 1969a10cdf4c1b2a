"""Sealed columns of an application's own table: each value opens in its column and its row only."""

from kuimen.kernels.sealed_columns.columns import SealedColumn
from kuimen.kernels.sealed_columns.errors import KeyDocumentError, RowKeyError, WrongPhraseError
from kuimen.kernels.sealed_columns.key_document import SALT_BYTES, open_key_document, sealed_key_document
from kuimen.kernels.sealed_columns.keys import MASTER_BYTES, ApplicationKeys, ColumnKeys, ColumnKeySource
from kuimen.kernels.sealed_columns.places import ColumnPlace, RowKeyPart, row_context

__all__ = [
    "MASTER_BYTES",
    "SALT_BYTES",
    "ApplicationKeys",
    "ColumnKeySource",
    "ColumnKeys",
    "ColumnPlace",
    "KeyDocumentError",
    "RowKeyError",
    "RowKeyPart",
    "SealedColumn",
    "WrongPhraseError",
    "open_key_document",
    "row_context",
    "sealed_key_document",
]
