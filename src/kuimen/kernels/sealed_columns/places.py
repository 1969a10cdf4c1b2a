"""Where a value belongs: institution, table, column and element for all rows, and the key of its own row.

>>> row_context((7,)) == row_context(("7",)) != row_context(("7", ""))
True
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kuimen.kernels.ciphers.errors import ContextFieldError
from kuimen.kernels.sealed_columns.errors import RowKeyError

COLUMN_LABEL = b"kuimen/column/1"
MAX_FIELD_BYTES = 2**16 - 1
RowKeyPart = UUID | int | str | bytes
"""What a column of a row's key may hold. A UUID, a number and a text of the same spelling are the same key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPlace:
    """A column of an application's table.

    Attributes:
        table, column: their names as the values were sealed under; a renamed table keeps its old name here.
        element: name of the data element.
    """

    table: str
    column: str
    element: str

    def context(self, institution: bytes) -> bytes:
        """Return the associated data of all rows: a label and four fields, each behind its length in two bytes.

        Raises:
            ContextFieldError: a field is empty or too long.
        """
        fields = {
            "institution": institution,
            "table": self.table.encode(),
            "column": self.column.encode(),
            "element": self.element.encode(),
        }
        for name, field in fields.items():
            if not 0 < len(field) <= MAX_FIELD_BYTES:
                raise ContextFieldError(f"{name}: empty or longer than {MAX_FIELD_BYTES} bytes; name it")
        return COLUMN_LABEL + b"".join(len(field).to_bytes(2, "big") + field for field in fields.values())


def row_context(key: Sequence[object]) -> bytes:
    """Return the associated data of one row: the parts of its key as text, each behind its length in two bytes.

    Raises:
        RowKeyError: a part is missing, too long, or of a type without one spelling.
    """
    if not key:
        raise RowKeyError("row key: the table has none; name the column that tells its rows apart")
    parts = [_spelling(part) for part in key]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _spelling(part: object) -> bytes:
    if part is None:
        raise RowKeyError(
            "row key: not known before the row is written; let the application draw it (a UUID), or name a column that"
            " it fills itself"
        )
    if isinstance(part, bool) or not isinstance(part, UUID | int | str | bytes):
        raise RowKeyError("row key: a UUID, a whole number, a text or bytes; name a column of such a type")
    spelt = part.hex() if isinstance(part, bytes) else str(part)
    encoded = spelt.encode()
    if len(encoded) > MAX_FIELD_BYTES:
        raise RowKeyError(f"row key: longer than {MAX_FIELD_BYTES} bytes; name a shorter column")
    return encoded
