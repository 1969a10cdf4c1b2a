"""Sealing of whole columns: Arrow in, Arrow out, row by row the same bytes as :func:`seal` gives.

>>> import pyarrow as pa
>>> sealer = Sealer.for_key(bytes(16), suite="sm4-gcm")
>>> column = sealer.seal_column(pa.array(["one", None]), aad=b"demo")
>>> sealer.open_column(column, aad=b"demo").to_pylist()
['one', None]
"""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Literal, Self

import pyarrow as pa

from kuimen.kernels.ciphers.arrow_rows import RowBytes, check_texts, read_column, read_rows, required_row, type_of
from kuimen.kernels.ciphers.errors import (
    ColumnSealBrokenError,
    ColumnShapeError,
    ColumnTooLargeError,
    ColumnTypeError,
    KeyWornOutError,
    SealBrokenError,
    ValueTooLargeError,
)
from kuimen.kernels.ciphers.sealed import OVERHEAD_BYTES, associated_bytes, header_of, open_with, prefix_bytes
from kuimen.kernels.ciphers.suites import (
    MAX_VALUE_BYTES,
    MAX_VALUES_PER_KEY,
    Suite,
    ValueCipher,
    cipher_for,
    draw_nonces,
    suite_named,
)

MAX_SMALL_OFFSET = 2**31 - 1


class Sealer:
    """Seals and opens columns under one key, or under a key per row.

    It counts what it seals with its own key and stops at 2^32 values. The count is of this object alone: whoever
    makes two of one key adds up both. Keys live in ordinary memory; this class cannot wipe them.
    """

    __slots__ = ("_cipher", "_key_id", "_sealed", "_suite")

    def __init__(self, cipher: ValueCipher, *, suite: Suite, key_id: int) -> None:
        """Hold a key made ready; use :meth:`for_key`."""
        self._cipher = cipher
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
        return cls(cipher_for(chosen, key), suite=chosen, key_id=key_id)

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
    ) -> pa.Array:
        """Seal every value of a column.

        Args:
            values: (n,) text or binary, 32- or 64-bit offsets; nulls stay null.
            aad: context of all rows.
            row_aad: (n,) context of each row.
            row_keys: (n,) key of each row, in place of this sealer's key; their uses are not counted here.
            row_key_ids: (n,) generation of each row's key; without it this sealer's generation stands.

        Returns:
            (n,) binary, same order, offsets as wide as those of `values`.

        Raises:
            ColumnTypeError: `values` is neither text nor binary.
            ColumnTextError: a value of a text column is not UTF-8.
            ColumnShapeError: keys or contexts do not match the rows, or one is null beside a value.
            ColumnTooLargeError: the result needs 64-bit offsets; pass a large column or fewer rows.
            KeyLengthError: a key does not have the length of the suite.
            KeyWornOutError: the key would seal more than 2^32 values.

        Guarantees:
            Nothing is returned unless every row was sealed.

        Clause: CQJR-5.3-d
        """
        column = read_column(values)
        count = len(column.rows)
        contexts = read_rows(row_aad, count, name="row_aad")
        keys = read_rows(row_keys, count, name="row_keys")
        prefixes = self._prefixes(row_key_ids, count, is_text=column.is_text)
        present = _check_size(column.rows, is_large=column.is_large)
        if column.is_text:
            check_texts(column.rows)
        if keys is None:
            self._count(present)

        ciphers = _Ciphers(self._suite)
        nonces = draw_nonces(present)
        sealed: list[bytes | None] = []
        for position, (value, prefix) in enumerate(zip(column.rows, prefixes, strict=False)):
            if value is None:
                sealed.append(None)
                continue
            cipher = self._cipher if keys is None else ciphers.get(required_row(keys, position, name="row_keys"))
            context = b"" if contexts is None else required_row(contexts, position, name="row_aad")
            nonce = next(nonces)
            sealed.append(prefix + nonce + cipher.encrypt(nonce, value, associated_bytes(prefix, aad, context)))
        return pa.array(sealed, type=type_of(is_text=False, is_large=column.is_large))

    def open_column(
        self,
        column: pa.Array | pa.ChunkedArray,
        aad: bytes,
        row_aad: RowBytes | None = None,
        row_keys: RowBytes | None = None,
        errors: Literal["raise", "null"] = "raise",
        *,
        as_text: bool | None = None,
    ) -> pa.Array:
        """Open every value of a sealed column.

        Args:
            column: (n,) sealed values; nulls stay null.
            aad: context of all rows.
            row_aad: (n,) context of each row.
            row_keys: (n,) key of each row; a null key (destroyed) does not open its row.
            errors: ``raise``, or ``null`` to get a null where a row does not open.
            as_text: give text or binary; without it the column comes back as it was sealed.

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
        given = read_column(column)
        if given.is_text and any(row is not None for row in given.rows):
            raise ColumnTypeError("column: sealed values are binary; pass the column that seal_column gave")
        contexts = read_rows(row_aad, len(given.rows), name="row_aad")
        keys = read_rows(row_keys, len(given.rows), name="row_keys")
        opened, failed, all_text = self._open_rows(given.rows, aad, contexts, keys)
        if failed and errors == "raise":
            raise ColumnSealBrokenError(failed)
        text = all_text if as_text is None else as_text
        if text:
            check_texts(opened)
        return pa.array(opened, type=pa.large_binary()).cast(type_of(is_text=text, is_large=given.is_large))

    def _prefixes(self, key_ids: Sequence[int] | None, count: int, *, is_text: bool) -> Iterator[bytes]:
        """Return the first bytes of each row; without generations per row the same ones for ever."""
        if key_ids is None:
            return repeat(prefix_bytes(self._suite, self._key_id, is_text=is_text))
        if len(key_ids) != count:
            raise ColumnShapeError(f"row_key_ids: {len(key_ids)} given for {count} rows; give one for each row")
        return (prefix_bytes(self._suite, key_id, is_text=is_text) for key_id in key_ids)

    def _open_rows(
        self, rows: list[bytes | None], aad: bytes, contexts: list[bytes | None] | None, keys: list[bytes | None] | None
    ) -> tuple[list[bytes | None], list[int], bool]:
        """Return what opened, the positions that did not, and whether all that opened was sealed as text."""
        ciphers = _Ciphers(self._suite)
        opened: list[bytes | None] = []
        failed: list[int] = []
        all_text = True
        for position, sealed in enumerate(rows):
            if sealed is None:
                opened.append(None)
                continue
            cipher = self._cipher if keys is None else ciphers.find(keys[position])
            context = b"" if contexts is None else contexts[position]
            value, is_text = self._open_row(sealed, cipher=cipher, aad=aad, row_aad=context)
            opened.append(value)
            if value is None:
                failed.append(position)
            else:
                all_text = all_text and is_text
        return opened, failed, all_text

    def _open_row(
        self, sealed: bytes, *, cipher: ValueCipher | None, aad: bytes, row_aad: bytes | None
    ) -> tuple[bytes | None, bool]:
        """Return the plaintext, None where it does not open, and whether it was sealed as text."""
        try:
            header = header_of(sealed)
        except SealBrokenError:
            return None, False
        if cipher is None or row_aad is None or header.suite is not self._suite:
            return None, False
        return open_with(cipher, sealed, aad=aad, row_aad=row_aad), header.is_text

    def _count(self, values: int) -> None:
        if self._sealed + values > MAX_VALUES_PER_KEY:
            raise KeyWornOutError("key: 2^32 values are sealed with it; use a new generation")
        self._sealed += values


class _Ciphers:
    """Keys made ready, once for a run of rows with the same key."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._last: tuple[bytes, ValueCipher] | None = None

    def get(self, key: bytes) -> ValueCipher:
        if self._last is None or self._last[0] != key:
            self._last = key, cipher_for(self._suite, key)
        return self._last[1]

    def find(self, key: bytes | None) -> ValueCipher | None:
        return None if key is None or len(key) != self._suite.key_bytes else self.get(key)


def _check_size(rows: list[bytes | None], *, is_large: bool) -> int:
    """Return how many values there are, once each of them and the whole column fit."""
    lengths = [len(row) for row in rows if row is not None]
    if lengths and max(lengths) > MAX_VALUE_BYTES:
        raise ValueTooLargeError(f"values: one is longer than {MAX_VALUE_BYTES} bytes; seal it in parts")
    if not is_large and sum(lengths) + OVERHEAD_BYTES * len(lengths) > MAX_SMALL_OFFSET:
        raise ColumnTooLargeError("values: the sealed column passes 2 GiB; pass a large type or fewer rows")
    return len(lengths)
