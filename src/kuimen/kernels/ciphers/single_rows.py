"""Sealing and opening value by value with `cryptography`: what remains where neither kernel nor numpy reaches."""

from collections.abc import Sequence

import pyarrow as pa

from kuimen.kernels.ciphers.errors import SealBrokenError
from kuimen.kernels.ciphers.flat_columns import FlatColumn, missing_row, type_of
from kuimen.kernels.ciphers.sealed import associated_bytes, header_of, open_with
from kuimen.kernels.ciphers.suites import ValueCipher, cipher_for, draw_nonces
from kuimen.kernels.ciphers.work import Opened, Work, row_key_length


class _Row:
    """Keys and contexts row by row; a key is made ready once for a run of rows with the same."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._keys = None if work.row_keys is None else work.row_keys.listed()
        self._contexts = None if work.row_aad is None else work.row_aad.listed()
        self._last: tuple[bytes, ValueCipher] | None = None

    def key(self, position: int) -> bytes | None:
        return self._work.key if self._keys is None else self._keys[position]

    def context(self, position: int) -> bytes | None:
        return b"" if self._contexts is None else self._contexts[position]

    def cipher(self, key: bytes) -> ValueCipher:
        if self._last is None or self._last[0] != key:
            self._last = key, cipher_for(self._work.suite, key)
        return self._last[1]


def seal_singly(column: FlatColumn, work: Work) -> pa.Array:
    """Seal a column; binary with offsets as wide as those of `column`.

    Raises:
        ColumnShapeError: a context or key is null beside a value.
        KeyLengthError: a row's key does not have the length of the suite.
    """
    rows, row = column.listed(), _Row(work)
    nonces = draw_nonces(len(rows) - column.array.null_count)
    sealed: list[bytes | None] = []
    for position, value in enumerate(rows):
        if value is None:
            sealed.append(None)
            continue
        key, context = row.key(position), row.context(position)
        if key is None:
            raise missing_row(position, name="row_keys")
        if len(key) != work.suite.key_bytes:
            raise row_key_length(position, work.suite)
        if context is None:
            raise missing_row(position, name="row_aad")
        prefix, nonce = work.prefix_of(position), next(nonces)
        associated = associated_bytes(prefix, work.aad, context)
        sealed.append(prefix + nonce + row.cipher(key).encrypt(nonce, value, associated))
    return pa.array(sealed, type=type_of(is_text=False, is_large=column.is_wide))


def open_singly(column: FlatColumn, work: Work) -> Opened:
    """Open a column."""
    row = _Row(work)
    opened: list[bytes | None] = []
    failed: list[int] = []
    all_text = True
    for position, sealed in enumerate(column.listed()):
        value = None
        if sealed is not None:
            value, is_text = _open_row(sealed, row, position, work)
            if value is None:
                failed.append(position)
            else:
                all_text = all_text and is_text
        opened.append(value)
    return Opened(array=_joined(opened, column), failed=failed, all_text=all_text)


def _joined(rows: Sequence[bytes | None], column: FlatColumn) -> pa.Array:
    return pa.array(rows, type=type_of(is_text=False, is_large=column.is_wide))


def _open_row(sealed: bytes, row: _Row, position: int, work: Work) -> tuple[bytes | None, bool]:
    """Return the plaintext, None where it does not open, and whether it was sealed as text."""
    try:
        header = header_of(sealed)
    except SealBrokenError:
        return None, False
    key, context = row.key(position), row.context(position)
    if header.suite is not work.suite or key is None or context is None or len(key) != work.suite.key_bytes:
        return None, False
    return open_with(row.cipher(key), sealed, aad=work.aad, row_aad=context), header.is_text
