"""New keys for old ones: one for one, so that rows still find each other, and no old number leads back."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kuimen.kernels.fabrication.assignment import Assignment, normal_form, tags_of
from kuimen.kernels.fabrication.draws import digit_signs

_MOST_SHAPES: Final = 1000
_MOST_DIGITS: Final = 18
_UUID: Final = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_INTEGER: Final = r"^[1-9]\d{0,17}$"


def new_keys(originals: pa.Array, *, key: bytes, domain: str) -> Assignment:
    """Give each different key another of the same form: a whole number, a UUID, or a code with the same letters.

    Codes whose form leaves too little room (a branch ``A``) are exchanged among each other.

    Raises:
        FabricationKeyError: the key of the package is too short.
    """
    distinct = normal_form(originals, None).unique().drop_null()
    tags = tags_of(distinct, key=key, domain=domain)
    ordered = distinct.take(pa.array(np.argsort(tags, kind="stable")))
    if pc.all(pc.match_substring_regex(ordered, _UUID)).as_py():
        values = _uuids(ordered, key=key, domain=domain)
    elif pc.all(pc.match_substring_regex(ordered, _INTEGER)).as_py():
        values = pa.array(np.arange(1, len(ordered) + 1)).cast(pa.string())
    else:
        values = _codes(ordered)
    return Assignment(element=None, originals=ordered, values=values, places=np.zeros(0, dtype=np.uint64))


def _uuids(ordered: pa.Array, *, key: bytes, domain: str) -> pa.Array:
    high = tags_of(ordered, key=key, domain=domain + "/high")
    low = tags_of(ordered, key=key, domain=domain + "/low")
    raw = np.stack([high.astype(">u8"), low.astype(">u8")], axis=1).copy().view(np.uint8).reshape(-1, 16)
    raw[:, 6] = raw[:, 6] & 0x0F | 0x40
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80
    text = raw.tobytes().hex()
    whole = (text[at : at + 32] for at in range(0, len(text), 32))
    return pa.array([f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}" for one in whole], pa.string())


def _codes(ordered: pa.Array) -> pa.Array:
    """Return codes of the same shape, shape by shape: digits are new, everything else stays."""
    shapes = pc.replace_substring_regex(ordered, r"\d", "0").dictionary_encode()
    which = shapes.indices.to_numpy(zero_copy_only=False)
    made = np.array(ordered.to_pylist(), dtype=object)
    if len(shapes.dictionary) > _MOST_SHAPES:
        return _exchanged(ordered)
    for number, shape in enumerate(shapes.dictionary.to_pylist()):
        rows = np.flatnonzero(which == number)
        same = ordered.take(pa.array(rows))
        made[rows] = (_renumbered(shape, same) or _exchanged(same)).to_pylist()
    return pa.array(made.tolist(), pa.string())


def _renumbered(shape: str, same: pa.Array) -> pa.Array | None:
    """Return new codes of one shape, none of which is an old one; None where there are too few."""
    signs = np.frombuffer(shape.encode(), dtype=np.uint8)
    places = np.flatnonzero(signs == ord("0"))
    width = min(len(places), _MOST_DIGITS)
    if 10**width < 2 * len(same) + 1:
        return None
    rows = np.tile(signs, (2 * len(same) + 1, 1))
    rows[:, places[-width:]] = digit_signs(np.arange(len(rows), dtype=np.uint64), width)
    ends = np.arange(0, (len(rows) + 1) * len(signs), len(signs), dtype=np.int64)
    texts = pa.Array.from_buffers(
        pa.large_string(), len(rows), [None, pa.py_buffer(ends), pa.py_buffer(rows.tobytes())]
    )
    texts = texts.cast(pa.string())
    return texts.filter(pc.invert(pc.is_in(texts, value_set=same)))[1 : len(same) + 1] if len(same) else same


def _exchanged(same: pa.Array) -> pa.Array:
    """Return the same codes, each where another stood."""
    return same.take(pa.array(np.roll(np.arange(len(same)), 1)))
