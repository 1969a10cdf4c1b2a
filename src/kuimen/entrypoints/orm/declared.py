"""What a table declares about its sealed columns; read by the types and by the session."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column

from kuimen.entrypoints.orm.cells import SealedCell
from kuimen.foundation.sensitive import Sensitive
from kuimen.kernels.sealed_columns import ColumnPlace, SealedColumn

DeclaredColumn = Any
"""A `Column`, annotated or not, of a table or of its alias."""
DeclaredTable = Any
"""A `Table` or an alias of one."""


class SealedKind:
    """What a sealed column declares.

    Attributes:
        element: name of the data element.
        table, column: the names it was sealed under, where they are no longer its own.
        row_key: columns that tell rows apart; empty for the primary key.
    """

    element: str
    table: str | None
    column: str | None
    row_key: tuple[str, ...]


class IndexKind:
    """What a blind index declares: `of`, the sealed column beside it."""

    of: str


def place_of(column: DeclaredColumn) -> ColumnPlace:
    """Return where the values of a declared column belong; an alias of its table is the same place."""
    kind, table = column.type, getattr(column.table, "element", column.table)
    return ColumnPlace(table=kind.table or table.name, column=kind.column or column.name, element=kind.element)


def row_key_of(table: DeclaredTable, column: DeclaredColumn) -> list[Column[Any]]:
    """Return the columns that tell the rows of a table apart, for one of its sealed columns."""
    return [table.c[name] for name in column.type.row_key] or list(table.primary_key.columns)


def companion_of(table: DeclaredTable, column: DeclaredColumn) -> Column[Any] | None:
    """Return the blind index beside a sealed column."""
    for one in table.c:
        if isinstance(one.type, IndexKind) and one.type.of in {column.name, column.key}:
            found: Column[Any] = one
            return found
    return None


def drawn_by_client(column: Column[Any]) -> Callable[[], object] | None:
    """Return the Python function that draws the key of a new row, if the column declares one."""
    default = column.default
    if default is None or not default.is_callable:
        return None
    draw: Callable[[Any], object] = default.arg  # type: ignore[attr-defined]
    return lambda: draw(None)


def open_cells(
    column: SealedColumn, cells: Sequence[SealedCell], contexts: Sequence[bytes]
) -> list[Sensitive[str] | None]:
    """Open cells of one column in their rows."""
    texts = column.open([cell.sealed for cell in cells], rows=contexts)
    element = column.place.element
    return [None if text is None else Sensitive(text, element=element) for text in texts]
