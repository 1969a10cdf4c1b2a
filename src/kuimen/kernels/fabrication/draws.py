"""Numbers drawn from numbers: the same person and salt always give the same draw. Nothing here is a secret's cipher.

The numbers of persons are keyed tags, so that a draw tells nothing to whoever lacks the key of the package.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kuimen.kernels.ciphers.digests import sm3

Numbers = NDArray[np.uint64]
Signs = NDArray[np.uint8]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_ZERO: Final = ord("0")


def mixed(numbers: Numbers, salt: str) -> Numbers:
    """Return one draw of 64 bits for each number, shape (n,) in and out; another salt gives other draws."""
    start = np.uint64(int.from_bytes(sm3(salt.encode())[:8], "little"))
    state = (numbers ^ start) + _GOLDEN
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return np.asarray(state ^ (state >> np.uint64(31)))


def below(numbers: Numbers, salt: str, limit: int) -> NDArray[np.int64]:
    """Return draws from 0 up to, not including, `limit`."""
    return (mixed(numbers, salt) % np.uint64(limit)).astype(np.int64)


def between_zero_and_one(numbers: Numbers, salt: str) -> NDArray[np.float64]:
    """Return draws from 0.0 up to, not including, 1.0."""
    return np.asarray((mixed(numbers, salt) >> np.uint64(11)).astype(np.float64) / float(1 << 53))


def chosen(words: Sequence[str], places: NDArray[np.int64]) -> pa.Array:
    """Return the words at these places."""
    return pa.array(words, pa.string()).take(pa.array(places))


def joined(*parts: "pa.Array | str") -> pa.Array:
    """Join columns and constants, row by row."""
    return pc.binary_join_element_wise(*(pa.scalar(part) if isinstance(part, str) else part for part in parts), "")


def digit_signs(numbers: NDArray[np.integer], width: int) -> Signs:
    """Return numbers as ASCII digits with leading zeros, shape (n, width)."""
    rest = numbers.astype(np.uint64)
    signs = np.empty((len(rest), width), dtype=np.uint8)
    for place in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, np.uint64(10))
        signs[:, place] = digit.astype(np.uint8) + _ZERO
    return signs


def literal_signs(text: str, rows: int) -> Signs:
    """Return an ASCII text once a row, shape (rows, len(text))."""
    return np.tile(np.frombuffer(text.encode("ascii"), dtype=np.uint8), (rows, 1))


def as_texts(*blocks: Signs) -> pa.Array:
    """Return ASCII blocks side by side as a column of texts."""
    signs = np.ascontiguousarray(np.concatenate(blocks, axis=1))
    rows, width = signs.shape
    ends = np.arange(0, (rows + 1) * width, width, dtype=np.int64) if width else np.zeros(rows + 1, dtype=np.int64)
    column = pa.Array.from_buffers(pa.large_string(), rows, [None, pa.py_buffer(ends), pa.py_buffer(signs)])
    return column.cast(pa.string())


def digits(numbers: NDArray[np.integer], width: int) -> pa.Array:
    """Return numbers as texts of `width` digits."""
    return as_texts(digit_signs(numbers, width))


def luhn_signs(body: Signs) -> Signs:
    """Return the check digit of each row of digits, shape (n, 1)."""
    values = (body - _ZERO).astype(np.int64)
    values[:, ::-1][:, ::2] *= 2
    values -= 9 * (values > 9)  # noqa: PLR2004 - a doubled digit counts by its digit sum
    return np.asarray(((-values.sum(axis=1)) % 10 + _ZERO).astype(np.uint8)[:, None])


def weighted_signs(body: Signs, *, alphabet: str, weights: Sequence[int], modulus: int, checks: str) -> Signs:
    """Return check characters: ``checks[sum(weight * value) % modulus]``, shape (n, 1)."""
    values = np.zeros(128, dtype=np.int64)
    for value, sign in enumerate(alphabet):
        values[ord(sign)] = value
    sums = (values[body] * np.asarray(weights, dtype=np.int64)).sum(axis=1) % modulus
    return np.asarray(np.frombuffer(checks.encode("ascii"), dtype=np.uint8)[sums][:, None])
