"""Arrow columns as rows of bytes, and the checks that every column function needs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pyarrow as pa

from kuimen.kernels.ciphers.errors import ColumnShapeError, ColumnTextError, ColumnTypeError

RowBytes: TypeAlias = Sequence[bytes | None] | pa.Array | pa.ChunkedArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRows:
    """A text or binary column taken apart.

    Attributes:
        rows: (n,) the bytes of each row; text as UTF-8, null as None.
        is_text: the column was text.
        is_large: its offsets have 64 bits.
    """

    rows: list[bytes | None]
    is_text: bool
    is_large: bool


def read_column(values: pa.Array | pa.ChunkedArray) -> ByteRows:
    """Take a column apart; dictionaries and chunks are flattened.

    Raises:
        ColumnTypeError: `values` is no Arrow array, or neither text nor binary.
    """
    if not isinstance(values, pa.Array | pa.ChunkedArray):
        raise ColumnTypeError("values: pass a pyarrow array")
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    is_text = (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )
    is_bytes = (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )
    if not is_text and not is_bytes:
        raise ColumnTypeError("values: only text and binary columns are taken; cast the column first")
    if pa.types.is_dictionary(values.type):
        values = values.cast(kind)
    return ByteRows(
        rows=values.cast(pa.large_binary()).to_pylist(),
        is_text=is_text,
        is_large=pa.types.is_large_string(kind) or pa.types.is_large_binary(kind),
    )


def read_rows(rows: RowBytes | None, count: int, *, name: str) -> list[bytes | None] | None:
    """List what was given per row.

    Raises:
        ColumnShapeError: not one for each of `count` rows.
    """
    if rows is None:
        return None
    listed = read_column(rows).rows if isinstance(rows, pa.Array | pa.ChunkedArray) else list(rows)
    if len(listed) != count:
        raise ColumnShapeError(f"{name}: {len(listed)} given for {count} rows; give one for each row")
    return listed


def required_row(rows: list[bytes | None], position: int, *, name: str) -> bytes:
    """Return what was given for a row that holds a value.

    Raises:
        ColumnShapeError: it is null.
    """
    row = rows[position]
    if row is None:
        raise ColumnShapeError(f"{name}: null beside a value at position {position}; give one for each value")
    return row


def check_texts(rows: Iterable[bytes | None]) -> None:
    """Refuse rows that are not UTF-8; Arrow itself does not check.

    Raises:
        ColumnTextError: names the first such position.
    """
    for position, row in enumerate(rows):
        if row is None:
            continue
        try:
            row.decode()
        except UnicodeDecodeError:
            # without its cause: the text of the decoder's error holds the bytes
            raise ColumnTextError(f"values: no UTF-8 at position {position}; pass binary instead") from None


def type_of(*, is_text: bool, is_large: bool) -> pa.DataType:
    """Return the Arrow type of a result."""
    if is_text:
        return pa.large_string() if is_large else pa.string()
    return pa.large_binary() if is_large else pa.binary()
