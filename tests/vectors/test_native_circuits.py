"""The constants in the C sources are those of the standards: each S-box is computed again from its definition."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

import kuimen.kernels.native

SOURCES = Path(kuimen.kernels.native.__file__).parent
SM4_FIELD, AES_FIELD = 0x1F5, 0x11B  # the polynomials of GB/T 32907-2016 and FIPS 197
Byte = Callable[[int], int]


def times(one: int, other: int, field: int) -> int:
    product = 0
    for bit in range(8):
        product ^= (one << bit) if other >> bit & 1 else 0
    for bit in range(14, 7, -1):
        product ^= field << (bit - 8) if product >> bit & 1 else 0
    return product


@cache
def inverse(one: int, field: int) -> int:
    power = 1
    for _ in range(254):
        power = times(power, one, field)
    return power


def affine(rows: list[int], constant: int) -> Byte:
    return lambda byte: sum(((row & byte).bit_count() & 1) << bit for bit, row in enumerate(rows)) ^ constant


def turned(byte: int, places: int) -> int:
    return (byte << places | byte >> (8 - places)) & 0xFF


SM4_MAP = affine([turned(0xA7, bit) for bit in range(8)], 0xD3)
AES_MAP = affine([turned(0xF1, bit) for bit in range(8)], 0x63)


def sm4_box(byte: int) -> int:
    return SM4_MAP(inverse(SM4_MAP(byte), SM4_FIELD))


def aes_box(byte: int) -> int:
    return AES_MAP(inverse(byte, AES_FIELD))


def tower_times_4(one: int, other: int) -> int:
    high, low = one >> 1 & other >> 1, one & other & 1
    cross = (one >> 1 ^ one) & (other >> 1 ^ other) & 1
    return (cross ^ low) << 1 | (low ^ high)


def tower_times(one: int, other: int, width: int, step: int) -> int:
    """Multiply in a field of `width` bits; the upper half's square is itself and `step`."""
    if width == 2:
        return tower_times_4(one, other)
    half, mask = width // 2, (1 << width // 2) - 1
    below = {4: 0, 8: 2}[width]
    high = tower_times(one >> half, other >> half, half, below)
    low = tower_times(one & mask, other & mask, half, below)
    cross = tower_times(one >> half ^ one & mask, other >> half ^ other & mask, half, below)
    return (cross ^ low) << half | low ^ tower_times(high, step, half, below)


@cache
def tower_inverse(one: int) -> int:
    return next((other for other in range(256) if tower_times(one, other, 8, 9) == 1), 0)


def numbers(source: str, pattern: str) -> list[list[int]]:
    found = re.findall(pattern, (SOURCES / source).read_text(encoding="utf-8"), re.DOTALL)
    return [[int(number, 16) for number in re.findall(r"0x[0-9a-f]+", text)] for text in found]


def test_the_definitions_give_the_printed_values() -> None:
    assert [sm4_box(byte) for byte in (0x00, 0x01, 0xEF, 0xFF)] == [0xD6, 0x90, 0x84, 0x48]
    assert [aes_box(byte) for byte in (0x00, 0x01, 0x53, 0xFF)] == [0x63, 0x7C, 0xED, 0x16]


@pytest.mark.parametrize(("name", "box"), [("sm4", sm4_box), ("aes", aes_box)])
def test_the_circuit_on_bit_planes_is_the_s_box(name: str, box: Byte) -> None:
    (given,) = numbers("path_portable.c", rf"static void {name}_substitute(.*?)\n}}")
    before, after = affine(given[:8], given[8]), affine(given[9:17], given[17])
    inverses = [tower_inverse(byte) for byte in range(256)]
    assert [after(inverses[before(byte)]) for byte in range(256)] == [box(byte) for byte in range(256)]


def test_the_lookups_around_the_aes_instruction_are_the_s_box_of_sm4() -> None:
    in_low, in_high, out_low, out_high = numbers("sm4_by_aes.h", r"_(?:low|high) = BOTH_HALVES\((.*?)\);")
    for byte in range(256):
        between = aes_box(in_low[byte & 15] ^ in_high[byte >> 4])
        assert out_low[between & 15] ^ out_high[between >> 4] == sm4_box(byte)


def test_the_two_affine_maps_of_gfni_are_the_s_box_of_sm4() -> None:
    (given,) = numbers("path_gfni.c", r"in = _mm256_set1_epi64x(.*?)\n}")
    first, second, first_constant, second_constant = given
    before = affine([first >> 8 * (7 - bit) & 0xFF for bit in range(8)], first_constant)
    after = affine([second >> 8 * (7 - bit) & 0xFF for bit in range(8)], second_constant)
    for byte in range(256):
        assert after(inverse(before(byte), AES_FIELD)) == sm4_box(byte)
