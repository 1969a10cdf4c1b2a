"""Arrow columns as flat rows of bytes, and the checks that every column function needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kuimen.kernels.ciphers.errors import ColumnShapeError, ColumnTextError, ColumnTypeError

RowBytes: TypeAlias = Sequence[bytes | None] | pa.Array | pa.ChunkedArray
# What the native kernels take: validity or None, offsets, data or None, first row, rows, 64-bit offsets.
Parts: TypeAlias = "tuple[pa.Buffer | None, pa.Buffer, pa.Buffer | None, int, int, bool]"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatColumn:
    """A text or binary column as one array.

    Attributes:
        array: (n,) text or binary with 32- or 64-bit offsets, no chunks, no dictionary, no views.
        is_text: the column was text.
        is_large: its offsets had 64 bits, and so have those of a result.
    """

    array: pa.Array
    is_text: bool
    is_large: bool

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.array)

    @property
    def is_wide(self) -> bool:
        """Return whether `array` has 64-bit offsets."""
        return _is_wide(self.array.type)

    @property
    def parts(self) -> Parts:
        """Return the buffers for the native kernels."""
        validity, offsets, data = self.array.buffers()
        if offsets is None or offsets.size == 0:  # Arrow may leave them out of an empty array
            offsets = pa.py_buffer(bytes(8))
        return (
            validity if self.array.null_count else None,
            offsets,
            data,
            self.array.offset,
            len(self.array),
            self.is_wide,
        )

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """Return (n + 1,) where each row begins in :attr:`data`, and where the last one ends."""
        _, offsets, _, start, rows, wide = self.parts
        typed = np.frombuffer(offsets, dtype=np.int64 if wide else np.int32)
        return typed[start : start + rows + 1].astype(np.int64)

    @property
    def data(self) -> npt.NDArray[np.uint8]:
        """Return the bytes of all rows, and perhaps of others."""
        data = self.array.buffers()[2]
        return np.frombuffer(data if data is not None else b"", dtype=np.uint8)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """Return (n,) whether a row holds a value."""
        if not self.array.null_count:
            return np.ones(len(self.array), dtype=np.bool_)
        valid: npt.NDArray[np.bool_] = self.array.is_valid().to_numpy(zero_copy_only=False)
        return valid

    def listed(self) -> list[bytes | None]:
        """Return the bytes of each row; text as UTF-8, null as None."""
        listed: list[bytes | None] = _as_binary(self.array).to_pylist()
        return listed


def _is_wide(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_large_binary(kind))


def _as_binary(array: pa.Array) -> pa.Array:
    """Return the same bytes under a binary type; nothing is copied."""
    return array.view(pa.large_binary() if _is_wide(array.type) else pa.binary())


def flatten(values: pa.Array | pa.ChunkedArray) -> FlatColumn:
    """Bring a column into one array; dictionaries, views and chunks are written out.

    Raises:
        ColumnTypeError: `values` is no Arrow array, neither text nor binary, or its offsets are broken.
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
    is_plain = pa.types.is_string(kind) or pa.types.is_binary(kind) or _is_wide(kind)
    chunked = isinstance(values, pa.ChunkedArray) and values.num_chunks != 1
    if pa.types.is_dictionary(values.type):
        values = values.cast(kind)
    if chunked or not is_plain:  # many chunks may pass 2 GiB together
        values = values.cast(pa.large_string() if is_text else pa.large_binary())
    if isinstance(values, pa.ChunkedArray):
        values = values.chunk(0) if values.num_chunks == 1 else values.combine_chunks()
    try:
        _as_binary(values).validate(full=True)
    except pa.ArrowInvalid:
        # without its cause: Arrow's text may hold bytes of the column
        raise ColumnTypeError("values: the offsets of the column point outside of its data; build it again") from None
    return FlatColumn(array=values, is_text=is_text, is_large=_is_wide(kind))


def flatten_rows(rows: RowBytes | None, count: int, *, name: str) -> FlatColumn | None:
    """Bring what was given per row into one column.

    Raises:
        ColumnShapeError: not one for each of `count` rows.
        ColumnTypeError: something that is neither bytes nor null.
    """
    if rows is None:
        return None
    if isinstance(rows, pa.Array | pa.ChunkedArray):
        column = flatten(rows)
    else:
        try:
            array = pa.array(rows, type=pa.large_binary())
        except (pa.ArrowException, TypeError):
            # without its cause: Arrow's text may hold what was given
            raise ColumnTypeError(f"{name}: give bytes for each row") from None
        column = FlatColumn(array=array, is_text=False, is_large=True)
    if len(column) != count:
        raise ColumnShapeError(f"{name}: {len(column)} given for {count} rows; give one for each row")
    return column


def missing_row(position: int, *, name: str) -> ColumnShapeError:
    """Return the error for a null where a row needs something."""
    return ColumnShapeError(f"{name}: null beside a value at position {position}; give one for each value")


def check_texts(column: FlatColumn) -> None:
    """Refuse rows that are not UTF-8; Arrow itself does not check.

    Raises:
        ColumnTextError: names the first such position.
    """
    try:
        column.array.view(pa.large_string() if column.is_wide else pa.string()).validate(full=True)
    except pa.ArrowInvalid:
        position = _first_without_text(column.listed())
    else:
        return
    # without its cause: the text of Arrow's error may hold the bytes
    raise ColumnTextError(f"values: no UTF-8 at position {position}; pass binary instead") from None


def _first_without_text(rows: list[bytes | None]) -> int:
    for position, row in enumerate(rows):
        try:
            (row or b"").decode()
        except UnicodeDecodeError:
            return position
    return len(rows)


def type_of(*, is_text: bool, is_large: bool) -> pa.DataType:
    """Return the Arrow type of a result."""
    if is_text:
        return pa.large_string() if is_large else pa.string()
    return pa.large_binary() if is_large else pa.binary()


def build_column(
    *,
    count: int,
    validity: pa.Buffer | None,
    offsets: pa.Buffer,
    data: pa.Buffer,
    wide: bool,
    kind: pa.DataType,
) -> pa.Array:
    """Put a result together from its buffers, and bring its offsets to the width of `kind`."""
    built = type_of(is_text=pa.types.is_string(kind) or pa.types.is_large_string(kind), is_large=wide)
    array = pa.Array.from_buffers(built, count, [validity, offsets, data])
    return array if built == kind else array.cast(kind)
