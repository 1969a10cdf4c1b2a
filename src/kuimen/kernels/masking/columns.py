"""Masks of whole columns: Arrow in, Arrow out.

The shapes that come by the million (mobiles, identity numbers, cards) are masked in bulk on the bytes of the column;
whatever deviates goes through :func:`mask_value`, once per different value.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kuimen.foundation.sensitive import FIXED_MASK
from kuimen.kernels.masking.errors import MaskTypeError
from kuimen.kernels.masking.values import RULES, mask_value
from kuimen.kernels.native import NATIVE

Bytes = npt.NDArray[np.uint8]
MASK_ROOM = 8  # bytes by which a mask may be longer than its value; as in masks.c
MAX_SMALL_OFFSET = 2**31 - 1
BLOCK_ROWS = 16_384  # a block stays in the cache from reading to writing
STAR = ord("*")
ZERO = ord("0")
NINE = ord("9")
CARD_LEAD = np.frombuffer(b"**** ", dtype=np.uint8)


def _all_digits(cells: Bytes) -> bool:
    # below zero wraps round to large numbers, so one comparison does for both ends
    return bool(((cells - np.uint8(ZERO)) <= np.uint8(NINE - ZERO)).all())


def _stars(width: int, starred: slice) -> tuple[Bytes, Bytes]:
    """Return which bits of a block stay and which are set; two passes over a block beat a strided one."""
    stay = np.full((BLOCK_ROWS, width), 0xFF, dtype=np.uint8)
    stay[:, starred] = 0
    put = np.zeros((BLOCK_ROWS, width), dtype=np.uint8)
    put[:, starred] = STAR
    return stay, put


MOBILE_STARS = _stars(11, slice(3, 7))
RESIDENT_ID_STARS = _stars(18, slice(1, 17))


def _put_stars(rows: Bytes, masked: Bytes, stars: tuple[Bytes, Bytes]) -> None:
    stay, put = stars
    np.bitwise_and(rows, stay[: len(rows)], out=masked)
    np.bitwise_or(masked, put[: len(rows)], out=masked)


def _bulk_mobile(rows: Bytes, masked: Bytes) -> bool:
    _put_stars(rows, masked, MOBILE_STARS)
    return _all_digits(rows) and bool((rows[:, 0] == ord("1")).all())


def _bulk_resident_id(rows: Bytes, masked: Bytes) -> bool:
    _put_stars(rows, masked, RESIDENT_ID_STARS)
    last = rows[:, 17]
    is_digit = (last - np.uint8(ZERO)) <= np.uint8(NINE - ZERO)
    return _all_digits(rows[:, :17]) and bool((is_digit | (last == ord("X"))).all())


def _bulk_card(rows: Bytes, masked: Bytes) -> bool:
    masked[:, : len(CARD_LEAD)] = CARD_LEAD
    masked[:, len(CARD_LEAD) :] = rows[:, -4:]
    return _all_digits(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkMask:
    """How rows of one width are masked together.

    Attributes:
        width: bytes of a mask.
        write: masks rows into room made for them; False where one of them deviates, and nothing of it may be used.
    """

    width: int
    write: Callable[[Bytes, Bytes], bool]


# By element and width of a value in bytes.
BULK: Mapping[tuple[str, int], BulkMask] = {
    ("mobile", 11): BulkMask(width=11, write=_bulk_mobile),
    ("resident_id", 18): BulkMask(width=18, write=_bulk_resident_id),
    ("bank_card", 16): BulkMask(width=9, write=_bulk_card),
    ("bank_card", 19): BulkMask(width=9, write=_bulk_card),
}


def mask(values: pa.Array | pa.ChunkedArray, element: str) -> pa.Array:
    """Mask every value of a column.

    Args:
        values: (n,) text; numbers and dates are masked as they print, anything else is masked whole. Nulls stay null.
        element: name of the data element; an unknown one has no rule.

    Returns:
        (n,) text, same order; row by row what :func:`mask_value` gives. Offsets are as wide as those of `values`.

    Raises:
        MaskTypeError: `values` is no Arrow array.

    Guarantees:
        Never shows more than the rule allows.

    Clause: CQJR-5.4-d
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not isinstance(values, pa.Array):
        raise MaskTypeError("values: pass a pyarrow array")
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    is_large = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    wanted = pa.large_string() if is_large else pa.string()
    if element not in RULES or not _has_text(kind):
        return _fixed(values, wanted)
    texts = values.cast(wanted)
    masked = None if texts.null_count and NATIVE else _mask_in_bulk(texts, element)
    if masked is None:
        masked = _mask_natively(texts, element)
    return _mask_by_value(texts, element) if masked is None else masked


def _mask_natively(texts: pa.Array, element: str) -> pa.Array | None:
    """Mask rows of the usual shapes by the native kernel and the others one by one; None where there is no kernel."""
    if NATIVE is None or element not in NATIVE.mask_elements() or not len(texts):
        return None
    wide = pa.types.is_large_string(texts.type)
    validity, offsets, data = texts.buffers()
    room = pc.sum(pc.binary_length(texts)).as_py() or 0
    room += MASK_ROOM * len(texts)
    if offsets is None or (room > MAX_SMALL_OFFSET and not wide):
        return None
    ends, masked = pa.allocate_buffer((len(texts) + 1) * (8 if wide else 4)), pa.allocate_buffer(room)
    left = np.empty(len(texts), dtype=np.uint8)
    parts = (validity if texts.null_count else None, offsets, data, texts.offset, len(texts), wide)
    written, count = NATIVE.mask(element, parts, ends, masked, left)
    valid = None
    if texts.null_count:
        valid = pa.py_buffer(np.packbits(texts.is_valid().to_numpy(zero_copy_only=False), bitorder="little"))
    column = pa.Array.from_buffers(texts.type, len(texts), [valid, ends, masked.slice(0, written)])
    if not count:
        return column
    chosen = pa.array(left.view(np.bool_))
    return pc.replace_with_mask(column, chosen, _mask_by_value(texts.filter(chosen), element))


def _has_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_date(kind)
    )


def _fixed(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    return pc.if_else(values.is_valid(), pa.scalar(FIXED_MASK, wanted), pa.scalar(None, wanted))


def _mask_in_bulk(texts: pa.Array, element: str) -> pa.Array | None:
    """Mask rows that all have one known shape; None where they have not."""
    present = texts.drop_null() if texts.null_count else texts
    if not len(present):
        return texts
    width_type = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    _, offset_buffer, text_buffer = present.buffers()
    offsets = np.frombuffer(offset_buffer, dtype=width_type)[present.offset : present.offset + len(present) + 1]
    width = int(offsets[1] - offsets[0])
    bulk = BULK.get((element, width))
    if bulk is None or not bool((np.diff(offsets) == width).all()):
        return None
    rows = np.frombuffer(text_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]].reshape(len(present), width)
    text_room = pa.allocate_buffer(len(rows) * bulk.width)  # Arrow's pool gives pages back that are already mapped
    masked = np.frombuffer(text_room, dtype=np.uint8).reshape(len(rows), bulk.width)
    for start in range(0, len(rows), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        if not bulk.write(rows[block], masked[block]):
            return None
    ends = np.arange(len(masked) + 1, dtype=width_type) * masked.shape[1]
    column = pa.Array.from_buffers(texts.type, len(masked), [None, pa.py_buffer(ends), text_room])
    if not texts.null_count:
        return column
    places = np.cumsum(np.asarray(texts.is_valid()), dtype=np.int64) - 1
    return column.take(pa.array(places, mask=np.asarray(texts.is_null())))


def _mask_by_value(texts: pa.Array, element: str) -> pa.Array:
    encoded = texts.dictionary_encode()
    masked = [mask_value(element, text) for text in encoded.dictionary.to_pylist()]
    return pa.array(masked, type=texts.type).take(encoded.indices)
