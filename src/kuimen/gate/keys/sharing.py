"""Shamir's secret sharing over GF(256): any `threshold` shares give the secret, fewer tell nothing about it.

The field is that of AES (x^8 + x^4 + x^3 + x + 1). Every byte of the secret has a polynomial of its own with random
coefficients; a share is the value of all of them at one point 1 to 255. Multiplication uses no table and no branch on
a secret bit.

>>> shares = split(b"a root", threshold=2, count=3)
>>> join([shares[2], shares[0]])
b'a root'
"""

import secrets
from collections.abc import Sequence
from typing import Final

from kuimen.gate.keys.errors import ShareInputError

MOST_SHARES: Final = 255
SMALLEST_THRESHOLD: Final = 2
_REDUCTION: Final = 0x1B  # what x^8 becomes
_BITS: Final = 8

Share = tuple[int, bytes]
"""Where the polynomials were taken (1 to 255), and their values there."""


def split(secret: bytes | bytearray, *, threshold: int, count: int) -> list[Share]:
    """Return `count` shares, any `threshold` of which give `secret` again.

    Raises:
        ShareInputError: fewer than two are needed, more are needed than made, or more than 255 are asked for.
    """
    if not SMALLEST_THRESHOLD <= threshold <= count <= MOST_SHARES or not secret:
        raise ShareInputError("threshold, count: 2 <= threshold <= count <= 255, of a secret that is not empty")
    coefficients = [secret, *(secrets.token_bytes(len(secret)) for _ in range(threshold - 1))]
    return [(x, _evaluate(coefficients, x)) for x in range(1, count + 1)]


def join(shares: Sequence[Share]) -> bytes:
    """Return the secret of at least `threshold` genuine shares; of fewer or foreign ones, random bytes.

    Raises:
        ShareInputError: no share, a point twice, a point out of range, or shares of different lengths.
    """
    points = [x for x, _ in shares]
    lengths = {len(values) for _, values in shares}
    if not shares or len(set(points)) != len(points) or len(lengths) != 1:
        raise ShareInputError("shares: give different shares of one secret")
    if not all(1 <= x <= MOST_SHARES for x in points):
        raise ShareInputError("shares: a share's point is 1 to 255")
    secret = bytearray(lengths.pop())
    for x, values in shares:
        weight = 1  # Lagrange's basis polynomial at 0; subtraction is exclusive or
        for other in points:
            if other != x:
                weight = _times(weight, _times(other, _inverse(other ^ x)))
        for position, value in enumerate(values):
            secret[position] ^= _times(weight, value)
    return bytes(secret)


def _evaluate(coefficients: Sequence[bytes | bytearray], x: int) -> bytes:
    value = bytearray(len(coefficients[0]))
    for one in reversed(coefficients):
        for position, coefficient in enumerate(one):
            value[position] = _times(value[position], x) ^ coefficient
    return bytes(value)


def _times(left: int, right: int) -> int:
    product = 0
    for _ in range(_BITS):
        product ^= left & -(right & 1)
        left = ((left << 1) & 0xFF) ^ (_REDUCTION & -(left >> 7))
        right >>= 1
    return product


def _inverse(value: int) -> int:
    """Return value^254, which is 1/value; 0 has none and gives 0."""
    power, result = value, 1
    for _ in range(_BITS - 1):
        power = _times(power, power)
        result = _times(result, power)
    return result
