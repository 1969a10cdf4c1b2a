"""Columns as whole numbers: the form in which classes of equal rows are counted."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kuimen.kernels.anonymity.errors import AnonymityColumnError

Codes = NDArray[np.int64]


def column_of(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column by its name.

    Raises:
        AnonymityColumnError: it is missing or there are two.
    """
    if table.column_names.count(name) != 1:
        raise AnonymityColumnError(f"column {name}: name one that the table has once")
    return table.column(name)


def coded(column: pa.ChunkedArray) -> tuple[Codes, int]:
    """Return a number from 0 for each different value, null being a value of its own, and how many there are."""
    encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), max(len(encoded.dictionary), 1)


def combined(parts: Sequence[tuple[Codes, int]], rows: int) -> tuple[Codes, int]:
    """Return the class of each row over several coded columns, numbered from 0 without gaps, and their number."""
    codes = np.zeros(rows, dtype=np.int64)
    count = 1
    for values, different in parts:
        codes = codes * different + values
        if count * different > max(4 * rows, 1 << 16):
            _, codes = np.unique(codes, return_inverse=True)
            count = int(codes.max(initial=0)) + 1
        else:
            count *= different
    present = np.bincount(codes, minlength=count) > 0
    renumbered = np.cumsum(present) - 1
    return renumbered[codes], int(present.sum())


def classes_of(table: pa.Table, names: Sequence[str]) -> tuple[Codes, int]:
    """Return the class of each row: rows of one class are equal in all named columns. Cost: linear in the rows."""
    if len(set(names)) != len(names):
        raise AnonymityColumnError("columns: a name is given twice")
    return combined([coded(column_of(table, name)) for name in names], table.num_rows)
