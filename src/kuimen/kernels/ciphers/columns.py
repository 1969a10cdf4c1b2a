"""Sealing of whole columns: Arrow in, Arrow out, row by row the same bytes as :func:`seal` gives.

>>> import pyarrow as pa
>>> sealer = Sealer.for_key(bytes(16), suite="sm4-gcm")
>>> column = sealer.seal_column(pa.array(["one", None]), aad=b"demo")
>>> sealer.open_column(column, aad=b"demo").to_pylist()
['one', None]
"""

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kuimen.kernels.ciphers.errors import (
    ColumnSealBrokenError,
    ColumnShapeError,
    ColumnTooLargeError,
    ColumnTypeError,
    KeyGenerationRangeError,
    KeyLengthError,
    KeyWornOutError,
    ValueTooLargeError,
)
from kuimen.kernels.ciphers.flat_columns import FlatColumn, RowBytes, check_texts, flatten, flatten_rows, type_of
from kuimen.kernels.ciphers.native_rows import open_natively, seal_natively
from kuimen.kernels.ciphers.numpy_rows import open_in_bulk, seal_in_bulk
from kuimen.kernels.ciphers.paths import WITHOUT_COMPILER, chosen_path
from kuimen.kernels.ciphers.sealed import MAX_KEY_ID, OVERHEAD_BYTES, prefix_bytes
from kuimen.kernels.ciphers.suites import MAX_VALUE_BYTES, MAX_VALUES_PER_KEY, Suite, suite_named
from kuimen.kernels.ciphers.work import Opened, Work
from kuimen.kernels.native import NATIVE

MAX_SMALL_OFFSET = 2**31 - 1
MAX_CONTEXT_BYTES = 2**31 - 1


class Sealer:
    """Seals and opens columns under one key, or under a key per row.

    It counts what it seals with its own key and stops at 2^32 values. The count is of this object alone: whoever
    makes two of one key adds up both. The native kernel wipes its copies of a key; the key given here lies in ordinary
    Python memory, which cannot be wiped.
    """

    __slots__ = ("_key", "_key_id", "_sealed", "_suite")

    def __init__(self, key: bytes, *, suite: Suite, key_id: int) -> None:
        """Hold a key of the right length; use :meth:`for_key`."""
        self._key = key
        self._suite = suite
        self._key_id = key_id
        self._sealed = 0

    @classmethod
    def for_key(cls, key: bytes, suite: Suite | str = Suite.SM4_GCM, *, key_id: int = 0) -> Self:
        """Make a sealer of an explicit key.

        Args:
            key: 16 bytes for ``sm4-gcm``, 32 bytes for ``aes-256-gcm``.
            suite: the suite or its name.
            key_id: generation of the key, for the header.

        Raises:
            KeyLengthError: the key does not have the length of the suite.
            UnknownSuiteError: there is no suite of that name.
            KeyGenerationRangeError: `key_id` does not fit four bytes.
        """
        chosen = suite_named(suite)
        prefix_bytes(chosen, key_id)
        if len(key) != chosen.key_bytes:
            raise KeyLengthError(f"key: {chosen.label} takes {chosen.key_bytes} bytes; give a key of that length")
        return cls(bytes(key), suite=chosen, key_id=key_id)

    @property
    def sealed_count(self) -> int:
        """Return how many values this object has sealed with its own key."""
        return self._sealed

    def seal_column(
        self,
        values: pa.Array | pa.ChunkedArray,
        aad: bytes,
        row_aad: RowBytes | None = None,
        row_keys: RowBytes | None = None,
        *,
        row_key_ids: Sequence[int] | None = None,
        threads: int = 1,
    ) -> pa.Array:
        """Seal every value of a column. Cost: about 0.1 to 0.3 µs a short value natively, 0.6 µs without a compiler.

        Args:
            values: (n,) text or binary, 32- or 64-bit offsets; nulls stay null.
            aad: context of all rows.
            row_aad: (n,) context of each row.
            row_keys: (n,) key of each row, in place of this sealer's key; their uses are not counted here.
            row_key_ids: (n,) generation of each row's key; without it this sealer's generation stands.
            threads: how many threads the native kernel may use; the GIL is released while they work.

        Returns:
            (n,) binary, same order, offsets as wide as those of `values`.

        Raises:
            ColumnTypeError: `values` is neither text nor binary.
            ColumnTextError: a value of a text column is not UTF-8.
            ColumnShapeError: keys or contexts do not match the rows, or one is null beside a value.
            ColumnTooLargeError: the result needs 64-bit offsets; pass a large column or fewer rows.
            ValueTooLargeError: a value is 2 GiB or longer.
            KeyLengthError: a key does not have the length of the suite.
            KeyGenerationRangeError: a generation does not fit four bytes.
            KeyWornOutError: the key would seal more than 2^32 values.
            SystemRandomError: the operating system gives no random numbers.

        Guarantees:
            Nothing is returned unless every row was sealed.

        Clause: CQJR-5.3-d
        """
        column = flatten(values)
        work = self._work(column, aad, row_aad, row_keys, threads=threads, key_ids=row_key_ids)
        _check_size(column)
        if column.is_text:
            check_texts(column)
        if work.row_keys is None:
            self._count(len(column) - column.array.null_count)
        kind = type_of(is_text=False, is_large=column.is_large)
        if column.array.null_count == len(column):
            return pa.nulls(len(column), kind)
        path = chosen_path()
        if NATIVE is None or path == WITHOUT_COMPILER:
            return _narrowed(seal_in_bulk(column, work), kind)
        return _narrowed(seal_natively(NATIVE, path, column, work), kind)

    def open_column(
        self,
        column: pa.Array | pa.ChunkedArray,
        aad: bytes,
        row_aad: RowBytes | None = None,
        row_keys: RowBytes | None = None,
        errors: Literal["raise", "null"] = "raise",
        *,
        as_text: bool | None = None,
        threads: int = 1,
    ) -> pa.Array:
        """Open every value of a sealed column.

        Args:
            column: (n,) sealed values; nulls stay null.
            aad: context of all rows.
            row_aad: (n,) context of each row.
            row_keys: (n,) key of each row; a null key (destroyed) does not open its row.
            errors: ``raise``, or ``null`` to get a null where a row does not open.
            as_text: give text or binary; without it the column comes back as it was sealed.
            threads: how many threads the native kernel may use; the GIL is released while they work.

        Returns:
            (n,) text or binary, same order, offsets as wide as those of `column`.

        Raises:
            ColumnSealBrokenError: rows do not open (`errors="raise"`); it names their positions.
            ColumnTypeError: `column` is not binary.
            ColumnTextError: text is asked for and a value is not UTF-8.
            ColumnShapeError: keys or contexts do not match the rows, or `errors` is neither word.

        Guarantees:
            No plaintext of a row whose tag does not verify, and none at all when an error is raised.
        """
        if errors not in {"raise", "null"}:
            raise ColumnShapeError('errors: say "raise" or "null"')
        given = flatten(column)
        empty = given.array.null_count == len(given)
        if given.is_text and not empty:
            raise ColumnTypeError("column: sealed values are binary; pass the column that seal_column gave")
        work = self._work(given, aad, row_aad, row_keys, threads=threads)
        opened = Opened(array=given.array, failed=[], all_text=True) if empty else _opened(given, work)
        if opened.failed and errors == "raise":
            raise ColumnSealBrokenError(opened.failed)
        text = opened.all_text if as_text is None else as_text
        if text:
            check_texts(FlatColumn(array=opened.array, is_text=True, is_large=given.is_large))
        wide = type_of(is_text=text, is_large=given.is_wide)
        return _narrowed(opened.array.view(wide), type_of(is_text=text, is_large=given.is_large))

    def _work(
        self,
        column: FlatColumn,
        aad: bytes,
        row_aad: RowBytes | None,
        row_keys: RowBytes | None,
        *,
        threads: int,
        key_ids: Sequence[int] | None = None,
    ) -> Work:
        """Bring what was given into the form that all paths take."""
        if len(aad) > MAX_CONTEXT_BYTES:
            raise ColumnShapeError("aad: a context holds at most 2 GiB; name the place instead of carrying it")
        count = len(column)
        return Work(
            suite=self._suite,
            key=self._key,
            prefix=prefix_bytes(self._suite, self._key_id, is_text=column.is_text),
            aad=aad,
            row_aad=flatten_rows(row_aad, count, name="row_aad"),
            row_keys=flatten_rows(row_keys, count, name="row_keys"),
            row_key_ids=_generations(key_ids, count),
            threads=threads,
        )

    def _count(self, values: int) -> None:
        if self._sealed + values > MAX_VALUES_PER_KEY:
            raise KeyWornOutError("key: 2^32 values are sealed with it; use a new generation")
        self._sealed += values


def _opened(column: FlatColumn, work: Work) -> Opened:
    path = chosen_path()
    if NATIVE is None or path == WITHOUT_COMPILER:
        return open_in_bulk(column, work)
    return open_natively(NATIVE, path, column, work)


def _generations(key_ids: Sequence[int] | None, count: int) -> npt.NDArray[np.uint32] | None:
    if key_ids is None:
        return None
    if len(key_ids) != count:
        raise ColumnShapeError(f"row_key_ids: {len(key_ids)} given for {count} rows; give one for each row")
    if count and not (min(key_ids) >= 0 and max(key_ids) <= MAX_KEY_ID):
        raise KeyGenerationRangeError("row_key_ids: the key generation is 0 to 4294967295; give one in that range")
    return np.array(key_ids, dtype=np.uint32)


def _narrowed(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """Bring 64-bit offsets, which views and chunks are worked on with, back to those of the result."""
    if array.type == kind:
        return array
    try:
        return array.cast(kind)
    except pa.ArrowInvalid:
        raise ColumnTooLargeError("values: the result passes 2 GiB; pass a large type or fewer rows") from None


def _check_size(column: FlatColumn) -> None:
    """Refuse what does not fit: a value of 2 GiB, or a result that 32-bit offsets cannot reach."""
    sizes = pc.binary_length(column.array)
    longest, total = pc.max(sizes).as_py() or 0, pc.sum(sizes).as_py() or 0
    if longest > MAX_VALUE_BYTES:
        raise ValueTooLargeError(f"values: one is longer than {MAX_VALUE_BYTES} bytes; seal it in parts")
    result = total + OVERHEAD_BYTES * (len(column) - column.array.null_count)
    if not column.is_large and result > MAX_SMALL_OFFSET:
        raise ColumnTooLargeError("values: the sealed column passes 2 GiB; pass a large type or fewer rows")
