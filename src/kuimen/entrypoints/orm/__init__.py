"""Sealed columns for the ORM of an application: `.sqlalchemy` has a type, `.django` a field.

They need no installation, only keys: call :func:`use_keys` once when the process starts.
"""

from kuimen.entrypoints.orm.errors import (
    ClearValueRefusedError,
    ColumnKeysMissingError,
    CompanionMissingError,
    MaskedCopyError,
    RowKeyChangedError,
    SealedLookupError,
)
from kuimen.entrypoints.orm.key_file import keys_from_file
from kuimen.entrypoints.orm.keys import use_keys
from kuimen.kernels.sealed_columns import ApplicationKeys, ColumnKeySource

__all__ = [
    "ApplicationKeys",
    "ClearValueRefusedError",
    "ColumnKeySource",
    "ColumnKeysMissingError",
    "CompanionMissingError",
    "MaskedCopyError",
    "RowKeyChangedError",
    "SealedLookupError",
    "keys_from_file",
    "use_keys",
]
