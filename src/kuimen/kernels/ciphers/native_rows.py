"""Sealing and opening by the native kernels."""

from types import ModuleType

import numpy as np
import pyarrow as pa

from kuimen.kernels.ciphers.errors import ColumnShapeError, ColumnTooLargeError, KeyLengthError, SystemRandomError
from kuimen.kernels.ciphers.flat_columns import FlatColumn, missing_row, type_of
from kuimen.kernels.ciphers.sealed import OVERHEAD_BYTES
from kuimen.kernels.ciphers.work import Opened, Work, row_key_length

# What the native kernel finds wrong before it writes the first byte; the numbers stand in seal.c, 3 is a key's length.
WELL, NO_CONTEXT, NO_KEY = range(3)


def _validity(count: int) -> bytearray:
    return bytearray((count + 7) // 8)


def _room(native: ModuleType, column: FlatColumn, *, less: int) -> tuple[pa.Buffer, pa.Buffer]:
    """Return buffers for the offsets and the bytes of a result; `less` bytes are taken off each value."""
    _, size, _ = native.measure(column.parts, less)
    width = 8 if column.is_wide else 4
    return pa.allocate_buffer((len(column) + 1) * width), pa.allocate_buffer(size)


def seal_natively(native: ModuleType, path: str, column: FlatColumn, work: Work) -> pa.Array:
    """Seal a column that is not empty; binary with offsets as wide as those of `column`.

    Raises:
        ColumnShapeError: a context or key is null beside a value.
        KeyLengthError: a row's key does not have the length of the suite.
        ColumnTooLargeError: the result does not fit its offsets.
        SystemRandomError: the operating system gives no random numbers.
    """
    offsets, data = _room(native, column, less=-OVERHEAD_BYTES)
    validity = _validity(len(column)) if column.array.null_count else None
    try:
        fault, position = native.seal(
            path,
            int(work.suite),
            work.key,
            work.head,
            column.parts,
            work.row_aad and work.row_aad.parts,
            work.row_keys and work.row_keys.parts,
            work.row_key_ids,
            offsets,
            data,
            validity,
            work.threads,
        )
    except OSError:
        raise SystemRandomError("the system gave no random numbers or no memory; try again later") from None
    except OverflowError:
        raise ColumnTooLargeError("values: the sealed column passes 2 GiB; pass a large type or fewer rows") from None
    if fault != WELL:
        raise _error_of(fault, position, work)
    kind = type_of(is_text=False, is_large=column.is_wide)
    bitmap = None if validity is None else pa.py_buffer(validity)
    return pa.Array.from_buffers(kind, len(column), [bitmap, offsets, data], column.array.null_count)


def _error_of(fault: int, position: int, work: Work) -> ColumnShapeError | KeyLengthError:
    if fault == NO_CONTEXT:
        return missing_row(position, name="row_aad")
    if fault == NO_KEY:
        return missing_row(position, name="row_keys")
    return row_key_length(position, work.suite)


def open_natively(native: ModuleType, path: str, column: FlatColumn, work: Work) -> Opened:
    """Open a column that is not empty.

    Raises:
        SystemRandomError: the operating system gives no memory.
    """
    offsets, data = _room(native, column, less=OVERHEAD_BYTES)
    validity = _validity(len(column))
    try:
        failed, all_text = native.open(
            path,
            int(work.suite),
            work.key,
            work.head,
            column.parts,
            work.row_aad and work.row_aad.parts,
            work.row_keys and work.row_keys.parts,
            None,
            offsets,
            data,
            validity,
            work.threads,
        )
    except OSError:
        raise SystemRandomError("the system gave no memory; try again later") from None
    positions = np.frombuffer(failed, dtype=np.int64).tolist()
    kind = type_of(is_text=False, is_large=column.is_wide)
    nulls = column.array.null_count + len(positions)
    bitmap = pa.py_buffer(validity) if nulls else None
    array = pa.Array.from_buffers(kind, len(column), [bitmap, offsets, data], nulls)
    return Opened(array=array, failed=positions, all_text=all_text)
