"""Sealing and opening many rows under one key without a compiler: block cipher in bulk, GHASH as a sum in numpy.

The tag is a sum over the blocks of associated data, ciphertext and lengths, each times its own power of the hash key.
The products come from tables, one for every place of a byte, looked up by bytes of ciphertext and associated data:
these are public, so the lookups tell nothing. Rows of equal sizes are worked on together; long rows, small groups and
keys per row go value by value.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kuimen.kernels.ciphers.flat_columns import FlatColumn, missing_row, type_of
from kuimen.kernels.ciphers.sealed import HEADER_BYTES, OVERHEAD_BYTES, PREFIX_BYTES, associated_bytes
from kuimen.kernels.ciphers.single_rows import open_singly, seal_singly
from kuimen.kernels.ciphers.suites import NONCE_BYTES, TAG_BYTES, Suite, draw_nonce_bytes
from kuimen.kernels.ciphers.work import Opened, Work

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]

BLOCK = 16
MOST_BLOCKS = 24  # a table of 64 KiB for each
FEWEST_ROWS = 200  # below, the tables cost more than they spare
ROWS_AT_ONCE = 8192
GHASH_POLYNOMIAL = 0xE1 << 120  # NIST SP 800-38D, 6.3


def _times_x(element: int) -> int:
    return (element >> 1) ^ (GHASH_POLYNOMIAL if element & 1 else 0)


def _multiply(one: int, other: int) -> int:
    product = 0
    for place in range(127, -1, -1):
        if one >> place & 1:
            product ^= other
        other = _times_x(other)
    return product


def _blocks(size: int) -> int:
    return -(-size // BLOCK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows that are worked on together.

    Attributes:
        rows: (m,) their positions.
        size: bytes of each plaintext.
        prefix: first six bytes of their sealed values.
        context_size: bytes of each row's own context.
    """

    rows: Places
    size: int
    prefix: bytes
    context_size: int


class _Hash:
    """The hash key with its powers and their tables; each is made when it is asked for."""

    def __init__(self, key: int) -> None:
        self._powers = [1 << 127, key]
        self._tables: dict[int, npt.NDArray[np.uint64]] = {}

    def power(self, exponent: int) -> int:
        while len(self._powers) <= exponent:
            self._powers.append(_multiply(self._powers[-1], self._powers[1]))
        return self._powers[exponent]

    def table(self, exponent: int) -> npt.NDArray[np.uint64]:
        """Return (16, 256, 2): each byte at each place of a block times the power, upper and lower half."""
        if exponent not in self._tables:
            bits, element = np.zeros((128, 2), dtype=np.uint64), self.power(exponent)
            for place in range(128):
                bits[place] = element >> 64, element & (2**64 - 1)
                element = _times_x(element)
            table = np.zeros((BLOCK, 256, 2), dtype=np.uint64)
            for bit in range(8):  # the highest bit of a byte comes first
                width = 1 << bit
                table[:, width : 2 * width] = table[:, :width] ^ bits[7 - bit :: 8][:, None, :]
            self._tables[exponent] = table
        return self._tables[exponent]


class NumpyRows:
    """One key made ready for rows in bulk."""

    def __init__(self, work: Work) -> None:
        self._work = work
        algorithm = algorithms.SM4(work.key) if work.suite is Suite.SM4_GCM else algorithms.AES256(work.key)
        # each block is encrypted once: counters never repeat
        self._cipher = Cipher(algorithm, modes.ECB()).encryptor()  # noqa: S305
        self._hash = _Hash(int.from_bytes(self._cipher.update(bytes(BLOCK)), "big"))
        self._constants: dict[tuple[bytes, int, int], int] = {}

    def stream(self, nonces: Bytes, size: int) -> Bytes:
        """Return (m, 16 + size rounded up): the mask of the tag, then the key stream."""
        counters = np.zeros((len(nonces), 1 + _blocks(size), BLOCK), dtype=np.uint8)
        counters[:, :, :NONCE_BYTES] = nonces[:, None, :]
        counters[:, :, NONCE_BYTES:] = (
            np.arange(1, 2 + _blocks(size), dtype=">u4").view(np.uint8).reshape(-1, 4)[None, :, :]
        )
        return np.frombuffer(self._cipher.update(counters.tobytes()), dtype=np.uint8).reshape(len(nonces), -1)

    def tags(self, group: Group, contexts: Bytes, ciphertexts: Bytes) -> Bytes:
        """Return (m, 16) the hash of each row's associated data, ciphertext and lengths."""
        head = associated_bytes(group.prefix, self._work.aad, b"")
        associated_size = len(head) + group.context_size
        blocks = _blocks(associated_size) + _blocks(group.size) + 1
        constant = self._constant(head, associated_size, group.size)
        sums = np.empty((len(ciphertexts), 2), dtype=np.uint64)
        sums[:] = constant >> 64, constant & (2**64 - 1)
        text_at = BLOCK * _blocks(associated_size)
        for at in range(group.context_size):
            self._add(sums, contexts[:, at], len(head) + at, blocks)
        for at in range(group.size):
            self._add(sums, ciphertexts[:, at], text_at + at, blocks)
        tags: Bytes = sums.astype(">u8").view(np.uint8).reshape(-1, BLOCK)
        return tags

    def _constant(self, head: bytes, associated_size: int, size: int) -> int:
        """Return the sum over what all rows of a group share: the head of the associated data, and the lengths."""
        place = (head, associated_size, size)
        if place not in self._constants:
            blocks = _blocks(associated_size) + _blocks(size) + 1
            padded = head.ljust(BLOCK * _blocks(associated_size), b"\0")
            constant = _multiply(associated_size * 8 << 64 | size * 8, self._hash.power(1))
            for at in range(_blocks(associated_size)):
                block = int.from_bytes(padded[BLOCK * at : BLOCK * (at + 1)], "big")
                constant ^= _multiply(block, self._hash.power(blocks - at))
            self._constants[place] = constant
        return self._constants[place]

    def _add(self, sums: npt.NDArray[np.uint64], column: Bytes, at: int, blocks: int) -> None:
        sums ^= self._hash.table(blocks - at // BLOCK)[at % BLOCK].take(column, axis=0)


def _cut(data: Bytes, begins: Places, size: int) -> Bytes:
    """Return (m, size): so many bytes from each place."""
    if size == 0:
        return np.zeros((len(begins), 0), dtype=np.uint8)
    if _is_run(begins, size):
        return data[begins[0] : begins[0] + size * len(begins)].reshape(-1, size)
    rows: Bytes = data[begins[:, None] + np.arange(size)]
    return rows


def _is_run(begins: Places, size: int) -> bool:
    """Tell whether rows of this size stand one behind the other."""
    return len(begins) > 0 and bool((np.diff(begins) == size).all())


class _Columns:
    """The buffers of a call as numpy arrays."""

    def __init__(self, column: FlatColumn, work: Work) -> None:
        self._work = work
        self.valid = column.valid
        self.data, offsets = column.data, column.offsets
        self.begins, self.sizes = offsets[:-1], np.diff(offsets)
        self._context_offsets = np.zeros(len(column) + 1, dtype=np.int64)
        self._context_data = np.zeros(0, dtype=np.uint8)
        if work.row_aad is not None:
            self._context_offsets, self._context_data = work.row_aad.offsets, work.row_aad.data

    @cached_property
    def context_sizes(self) -> Places:
        return np.diff(self._context_offsets)

    def contexts(self, group: Group, part: slice) -> Bytes:
        return _cut(self._context_data, self._context_offsets[group.rows[part]], group.context_size)

    def groups(self, rows: Places, *, less: int, prefixes: npt.NDArray[np.uint64]) -> Iterator[Group]:
        """Sort rows into groups of the same sizes and prefix."""
        marks = [self.sizes[rows] - less, self.context_sizes[rows], prefixes.view(np.int64)]
        for chosen in _alike(marks):
            size, context_size, prefix = (int(mark[chosen[0]]) for mark in marks)
            first = prefix.to_bytes(8, "little", signed=True)[:PREFIX_BYTES]
            yield Group(rows=rows[chosen], size=size, prefix=first, context_size=context_size)


def _alike(marks: list[Places]) -> list[Places]:
    """Return the positions of the rows that are alike in every mark, group by group, each ascending."""
    if not len(marks[0]):
        return []
    groups = [np.arange(len(marks[0]))]
    for mark in marks:
        if bool((mark == mark[0]).all()):
            continue
        groups = [part for group in groups for part in _split(group, mark[group])]
    return groups


def _split(group: Places, mark: Places) -> list[Places]:
    order = np.argsort(mark, kind="stable")
    return np.split(group[order], np.flatnonzero(np.diff(mark[order])) + 1)


def _is_bulk(group: Group, work: Work) -> bool:
    associated = PREFIX_BYTES + 4 + len(work.aad) + group.context_size
    return len(group.rows) >= FEWEST_ROWS and _blocks(associated) + _blocks(group.size) < MOST_BLOCKS


def _parts(group: Group) -> Iterator[slice]:
    return (slice(start, start + ROWS_AT_ONCE) for start in range(0, len(group.rows), ROWS_AT_ONCE))


def _single_work(work: Work, rows: Places) -> Work:
    contexts = None if work.row_aad is None else _taken(work.row_aad, rows)
    return Work(
        suite=work.suite,
        key=work.key,
        prefix=work.prefix,
        aad=work.aad,
        row_aad=contexts,
        row_keys=None,
    )


def _taken(column: FlatColumn, rows: Places) -> FlatColumn:
    return FlatColumn(array=column.array.take(pa.array(rows)), is_text=column.is_text, is_large=column.is_large)


def _scatter(out: Bytes, begins: Places, rows: Bytes) -> None:
    size = rows.shape[1]
    if size and _is_run(begins, size):
        out[begins[0] : begins[0] + rows.size] = rows.reshape(-1)
    else:
        out[begins[:, None] + np.arange(size)] = rows


def _validity(valid: npt.NDArray[np.bool_]) -> pa.Buffer | None:
    return None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())


def _built(offsets: Places, out: Bytes, valid: npt.NDArray[np.bool_], *, wide: bool) -> pa.Array:
    typed = offsets.astype(np.int64 if wide else np.int32)
    buffers = [_validity(valid), pa.py_buffer(typed.tobytes()), pa.py_buffer(out.tobytes())]
    return pa.Array.from_buffers(type_of(is_text=False, is_large=wide), len(valid), buffers)


def seal_in_bulk(column: FlatColumn, work: Work) -> pa.Array:
    """Seal a column that is not empty; binary with offsets as wide as those of `column`.

    Raises:
        ColumnShapeError: a context or key is null beside a value.
        KeyLengthError: a row's key does not have the length of the suite.
    """
    if work.row_keys is not None or work.row_key_ids is not None or len(column) < FEWEST_ROWS:
        return seal_singly(column, work)
    columns, bulk = _Columns(column, work), NumpyRows(work)
    rows = np.flatnonzero(columns.valid)
    _check_contexts(work, columns.valid)
    ends = np.cumsum(np.where(columns.valid, columns.sizes + OVERHEAD_BYTES, 0))
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), ends])
    out = np.empty(int(offsets[-1]), dtype=np.uint8)
    prefix = np.frombuffer(work.prefix.ljust(8, b"\0"), dtype=np.uint64)
    for group in columns.groups(rows, less=0, prefixes=np.repeat(prefix, len(rows))):
        if not _is_bulk(group, work):
            sealed = seal_singly(_taken(column, group.rows), _single_work(work, group.rows))
            for row, value in zip(group.rows.tolist(), sealed.to_pylist(), strict=True):
                out[offsets[row] : offsets[row + 1]] = np.frombuffer(value, dtype=np.uint8)
            continue
        for part in _parts(group):
            chosen = group.rows[part]
            plain = _cut(columns.data, columns.begins[chosen], group.size)
            _scatter(out, offsets[chosen], _sealed(bulk, group, columns.contexts(group, part), plain))
    return _built(offsets, out, columns.valid, wide=column.is_wide)


def _sealed(bulk: NumpyRows, group: Group, contexts: Bytes, plain: Bytes) -> Bytes:
    nonces = np.frombuffer(draw_nonce_bytes(len(plain)), dtype=np.uint8).reshape(-1, NONCE_BYTES)
    stream = bulk.stream(nonces, group.size)
    rows = np.empty((len(plain), OVERHEAD_BYTES + group.size), dtype=np.uint8)
    rows[:, :PREFIX_BYTES] = np.frombuffer(group.prefix, dtype=np.uint8)
    rows[:, PREFIX_BYTES:HEADER_BYTES] = nonces
    ciphertexts = rows[:, HEADER_BYTES : HEADER_BYTES + group.size]
    np.bitwise_xor(plain, stream[:, BLOCK : BLOCK + group.size], out=ciphertexts)
    rows[:, HEADER_BYTES + group.size :] = bulk.tags(group, contexts, ciphertexts) ^ stream[:, :BLOCK]
    return rows


def _check_contexts(work: Work, valid: npt.NDArray[np.bool_]) -> None:
    if work.row_aad is not None and work.row_aad.array.null_count:
        missing = np.flatnonzero(valid & ~work.row_aad.valid)
        if len(missing):
            raise missing_row(int(missing[0]), name="row_aad")


def open_in_bulk(column: FlatColumn, work: Work) -> Opened:
    """Open a column that is not empty."""
    if work.row_keys is not None or len(column) < FEWEST_ROWS:
        return open_singly(column, work)
    columns, bulk = _Columns(column, work), NumpyRows(work)
    prefixes, known = _prefixes(columns, work)
    opens = known & columns.valid
    if work.row_aad is not None:
        opens &= work.row_aad.valid
    rows = np.flatnonzero(opens)
    sizes = np.where(opens, columns.sizes - OVERHEAD_BYTES, 0)
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
    out = np.zeros(int(offsets[-1]), dtype=np.uint8)
    for group in columns.groups(rows, less=OVERHEAD_BYTES, prefixes=prefixes[rows]):
        if not _is_bulk(group, work):
            values = open_singly(_taken(column, group.rows), _single_work(work, group.rows)).array.to_pylist()
            for row, value in zip(group.rows.tolist(), values, strict=True):
                opens[row] = value is not None
                out[offsets[row] : offsets[row + 1]] = np.frombuffer(value or bytes(sizes[row]), dtype=np.uint8)
            continue
        for part in _parts(group):
            chosen = group.rows[part]
            sealed = _cut(columns.data, columns.begins[chosen], OVERHEAD_BYTES + group.size)
            plain, well = _opened(bulk, group, columns.contexts(group, part), sealed)
            _scatter(out, offsets[chosen], plain)
            opens[chosen] = well
    failed = np.flatnonzero(columns.valid & ~opens).tolist()
    is_text = prefixes.view(np.uint8).reshape(-1, 8)[:, 1] >= TEXT_MARK
    array = _built(offsets, out, opens, wide=column.is_wide)
    return Opened(array=array, failed=failed, all_text=bool((is_text | ~opens).all()))


TEXT_MARK = 0x80


def _prefixes(columns: _Columns, work: Work) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.bool_]]:
    """Return (n,) the first six bytes of each row as a number, and (n,) whether they are those of a sealed value."""
    long_enough = columns.valid & (columns.sizes >= OVERHEAD_BYTES)
    rows = np.flatnonzero(long_enough)
    first = np.zeros((len(columns.sizes), 8), dtype=np.uint8)
    first[rows, :PREFIX_BYTES] = _cut(columns.data, columns.begins[rows], PREFIX_BYTES)
    known = long_enough & (first[:, 0] == work.prefix[0]) & ((first[:, 1] & ~np.uint8(TEXT_MARK)) == int(work.suite))
    return first.view(np.uint64).reshape(-1), known


def _opened(bulk: NumpyRows, group: Group, contexts: Bytes, sealed: Bytes) -> tuple[Bytes, npt.NDArray[np.bool_]]:
    """Return (m, size) the plaintexts, zeros where the tag does not belong to the row, and (m,) whether it does."""
    ciphertexts = sealed[:, HEADER_BYTES : HEADER_BYTES + group.size]
    stream = bulk.stream(sealed[:, PREFIX_BYTES:HEADER_BYTES], group.size)
    tags = bulk.tags(group, contexts, ciphertexts) ^ stream[:, :BLOCK]
    differing = np.bitwise_or.reduce(tags ^ sealed[:, -TAG_BYTES:], axis=1)
    well = differing == 0
    plain = ciphertexts ^ stream[:, BLOCK : BLOCK + group.size]
    plain[~well] = 0
    return plain, well
