"""The mask of a column is the mask of its values, with the native kernel and without, for shapes and near misses."""

import random

import pyarrow as pa
import pytest

from kuimen.kernels.elements.model import Element
from kuimen.kernels.masking import columns, mask, mask_value
from kuimen.kernels.native import NATIVE

SHAPES = [
    shape.strip()
    for line in (
        "张 | 张小三 | 欧阳修远 | 99010119900101001X | 990101199001010 | 19990000001 | 51234567",
        "E12345678 | H123456 | 6299990000229629 | 6299990000229629633 | 50011234 | 91990101MA00000000",
        "004402000000038 | li@example.com | l@b.cn | li.wang+x@mail.example.com | 1990-01-02 | 19900102 | 2001-12-31",
        "198.51.100.73 | 255.255.255.255 | 0.0.0.0 | 256.1.1.1 | 01.2.3.4 | 02:4B:4D:AA:D8:61 | 02-4b-4d-aa-d8-61",
        "04/32 | 50011234567890123456 | 023-51234567 | 02351234567 | 010-51234567 | 0755-5123456 | 0100123456",
        "2001:db8::1 | 夔A12348 | 07555123456 | Zhang San",
    )
    for shape in line.split("|")
]
SIGNS = "0123456789Xx-. @:/Aa张三一鿿䷿ 　９·"


def near(dice: random.Random) -> str:
    """A usual shape, or one with some signs changed, added or dropped."""
    text = dice.choice(SHAPES)
    for _ in range(dice.choice([0, 0, 1, 1, 2, 5])):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice(["", *SIGNS]) + text[at + dice.randrange(2) :]
    return text


@pytest.mark.clause("CQJR-5.4-d")
@pytest.mark.parametrize("element", list(Element))
@pytest.mark.parametrize("way", ["kernel", "python"])
def test_a_column_has_the_masks_of_its_values(element: Element, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if way == "python":
        monkeypatch.setattr(columns, "NATIVE", None)
    dice = random.Random(f"masks of {element}")
    values = [None if dice.random() < 0.05 else near(dice) for _ in range(1500)]
    expected = [None if value is None else mask_value(element, value) for value in values]
    for kind in (pa.string(), pa.large_string()):
        column = pa.array(values, type=kind)
        assert mask(column, element).to_pylist() == expected
        assert mask(column.slice(7, 100), element).to_pylist() == expected[7:107]
        mask(column, element).validate(full=True)


@pytest.mark.skipif(NATIVE is None, reason="the native kernels are not built here")
def test_the_kernel_refuses_columns_whose_offsets_lie() -> None:
    assert NATIVE is not None
    offsets = b"".join(end.to_bytes(4, "little") for end in (0, 99, 5))
    lying = (None, offsets, b"12345", 0, 2, False)
    with pytest.raises(ValueError, match="an offset outside"):
        NATIVE.mask("mobile", lying, bytearray(12), bytearray(64), bytearray(2))
    with pytest.raises(ValueError, match="buffers are shorter"):
        NATIVE.mask("mobile", (None, offsets, b"12345", 0, 3, False), bytearray(16), bytearray(64), bytearray(3))
