"""SQLAlchemy: `SealedText` for a sealed column, `BlindIndex` for the column beside it by which it is found.

Assign text; the attribute holds it inside `Sensitive`, and a flush seals what changed in one call of the batch kernel,
bound to the row's key. Loading opens it again. `Customer.mobile == "…"` asks the blind index. A value that comes to the
column by any other way is refused before it reaches the driver: core statements take `sealed_rows(…)`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import Column, LargeBinary, Table, inspect
from sqlalchemy import types as sqltypes
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DontWrapMixin
from sqlalchemy.sql import operators
from typing_extensions import override

from kuimen.entrypoints.orm import flushing
from kuimen.entrypoints.orm.cells import SealedCell, text_of
from kuimen.entrypoints.orm.declared import (
    DeclaredColumn,
    IndexKind,
    SealedKind,
    companion_of,
    drawn_by_client,
    open_cells,
    place_of,
    row_key_of,
)
from kuimen.entrypoints.orm.errors import ClearValueRefusedError, CompanionMissingError, SealedLookupError
from kuimen.entrypoints.orm.keys import sealed_column
from kuimen.kernels.ciphers import TAG_BYTES
from kuimen.kernels.sealed_columns import RowKeyError, row_context

__all__ = ["BlindIndex", "SealedText", "opened_rows", "sealed_rows"]

Target = Any
"""A mapped class or a `Table`."""


class UnsealedParameterError(ClearValueRefusedError, DontWrapMixin):
    """A clear value stands in a statement; SQLAlchemy must not wrap this error, its text would quote the value."""

    code: ClassVar[str] = "orm.unsealed_parameter"


class _Comparator(sqltypes.TypeDecorator.Comparator[Any]):
    """Equality asks the blind index; whatever else would compare ciphertexts is refused."""

    @override
    def operate(self, op: operators.OperatorType, *other: Any, **kwargs: Any) -> Any:
        if op in {operators.is_, operators.is_not} or (op in {operators.eq, operators.ne} and other[0] is None):
            return super().operate(op, *other, **kwargs)
        if op not in {operators.eq, operators.ne, operators.in_op, operators.not_in_op}:
            raise SealedLookupError("sealed column: it can be asked for equality and NULL only, not ordered or matched")
        column = self.expr
        if not isinstance(column, Column) and not hasattr(column, "table"):
            raise SealedLookupError("sealed column: compare the column itself, not an expression of it")
        asked = list(other[0]) if op in {operators.in_op, operators.not_in_op} else [other[0]]
        texts = [text for text in map(text_of, asked) if text is not None]
        opened = sealed_column(place_of(column))
        tags = [tag for text in texts for tag in opened.search_tags(text)]
        companion = column.table.c[_companion(column).key]
        return companion.in_(tags) if op in {operators.eq, operators.in_op} else companion.not_in(tags)


class SealedText(SealedKind, sqltypes.TypeDecorator[Any]):
    """A column of sealed text. On the instance it is `Sensitive[str]`; in a core row a `SealedCell`.

    Args:
        element: name of the data element, for example ``mobile``.
        table, column: the names it was sealed under, where table or column were renamed since.
        row_key: columns that tell rows apart; by default the primary key. The application must fill them itself.
    """

    impl = LargeBinary
    cache_ok = True
    comparator_factory = _Comparator

    def __init__(
        self, element: str, *, table: str | None = None, column: str | None = None, row_key: Sequence[str] = ()
    ) -> None:
        """Declare the column; keys are no part of the declaration."""
        super().__init__()
        self.element, self.table, self.column, self.row_key = element, table, column, tuple(row_key)

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        if not isinstance(value, SealedCell):
            raise UnsealedParameterError(
                "sealed column: the row of this value is not known here; save it through the model, or pass the rows"
                " through kuimen.entrypoints.orm.sqlalchemy.sealed_rows"
            )
        return value.sealed

    @override
    def process_literal_param(self, value: Any, dialect: Dialect) -> str:
        raise UnsealedParameterError("sealed column: nothing of it is written into the text of a statement")

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> SealedCell | None:
        return None if value is None else SealedCell(bytes(value))

    @override
    def __repr__(self) -> str:
        """Return the declaration as code; Alembic writes it into migrations."""
        named = {"table": self.table, "column": self.column, "row_key": self.row_key}
        given = [repr(self.element), *(f"{name}={value!r}" for name, value in named.items() if value)]
        return f"SealedText({', '.join(given)})"


class BlindIndex(IndexKind, sqltypes.TypeDecorator[Any]):
    """The column beside a sealed one by which it is found: 8 bytes, HMAC-SM3 of the normalised value.

    Args:
        of: name of the sealed column, or of its attribute.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, of: str) -> None:
        """Declare the companion of a sealed column; give the column an index of its own."""
        super().__init__(TAG_BYTES)
        self.of = of

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        if value is not None and not (isinstance(value, bytes) and len(value) == TAG_BYTES):
            raise UnsealedParameterError(f"blind index: {TAG_BYTES} bytes that a sealed column made; nothing else")
        return value

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else bytes(value)

    @override
    def __repr__(self) -> str:
        return f"BlindIndex({self.of!r})"


def _companion(column: DeclaredColumn) -> Column[Any]:
    found = companion_of(column.table, column)
    if found is None:
        raise CompanionMissingError(f"{column.name}: declare a BlindIndex column beside it to search it")
    return found


def sealed_rows(target: Target, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Seal rows for a core statement, `executemany` or a bulk statement of the ORM; one kernel call a column.

    Args:
        target: a mapped class, whose attribute names the rows use, or a `Table`.
        rows: mappings; each holds the key of its row, or leaves it to a default in Python.

    Returns:
        New mappings with sealed bytes and blind indexes in place of clear values.

    Raises:
        RowKeyError: a row's key is neither given nor drawn by a default in Python; nothing was sealed.
    """
    table, names = _names(target)
    made = [dict(row) for row in rows]
    for column in _sealed_columns(table):
        name = names[column]
        chosen = [row for row in made if name in row]
        contexts = [_row_of(row, table, column, names) for row in chosen]
        texts = [text_of(row[name]) for row in chosen]
        opened = sealed_column(place_of(column))
        companion = companion_of(table, column)
        tags = opened.tags(texts) if companion is not None else [None] * len(texts)
        for row, sealed, tag in zip(chosen, opened.seal(texts, rows=contexts), tags, strict=True):
            row[name] = None if sealed is None else SealedCell(sealed)
            if companion is not None:
                row[names[companion]] = tag
    return made


def opened_rows(target: Target, rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Open the sealed cells of core rows that carry the key of their row; one kernel call a column.

    Returns:
        Mappings with `Sensitive` in place of sealed cells.

    Raises:
        TamperError: a value does not open in its row; none is returned.
        RowKeyError: the rows do not carry their key.
    """
    table, names = _names(target)
    made = [dict(getattr(row, "_mapping", row)) for row in rows]
    for column in _sealed_columns(table):
        name = names[column]
        chosen = [row for row in made if isinstance(row.get(name), SealedCell)]
        contexts = [_row_of(row, table, column, names, draw=False) for row in chosen]
        opened = open_cells(sealed_column(place_of(column)), [row[name] for row in chosen], contexts)
        for row, value in zip(chosen, opened, strict=True):
            row[name] = value
    return made


def _sealed_columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.c if isinstance(column.type, SealedText)]


def _names(target: Target) -> tuple[Table, dict[Any, str]]:
    """Return the table and how its columns are called in the rows of the caller."""
    if isinstance(target, Table):
        return target, {column: column.key for column in target.c}
    mapper = inspect(target)
    return mapper.local_table, {column: mapper.get_property_by_column(column).key for column in mapper.local_table.c}


def _row_of(
    row: dict[str, Any], table: Table, sealed: Column[Any], names: Mapping[Any, str], *, draw: bool = True
) -> bytes:
    parts = []
    for column in row_key_of(table, sealed):
        name = names[column]
        if row.get(name) is None and draw and (drawn := drawn_by_client(column)) is not None:
            row[name] = drawn()
        if row.get(name) is None:
            raise RowKeyError(f"{column.name}: the key of the row is not known here; give it with the row")
        parts.append(row[name])
    return row_context(parts)


flushing.watch()
