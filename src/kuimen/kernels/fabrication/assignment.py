"""Which made-up value stands for which original: the same everywhere in a package, different ones for different ones.

>>> made = assign(pa.array(["13800000000"]), Element.MOBILE, key=bytes(32), ranges=FictitiousRanges())
>>> made.apply(pa.array(["+86 138-0000-0000", None])).to_pylist() == [made.values[0].as_py(), None]
True
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kuimen.kernels.ciphers.digests import hkdf_sm3
from kuimen.kernels.ciphers.index import NORMAL_FORMS, SETTLED, blind_index, normalise_for_index
from kuimen.kernels.elements import Element
from kuimen.kernels.fabrication.draws import Numbers
from kuimen.kernels.fabrication.errors import (
    ColumnValuesError,
    FabricationKeyError,
    NoGeneratorError,
    RangeExhaustedError,
)
from kuimen.kernels.fabrication.spaces import FictitiousRanges, Space, space_of

KEY_BYTES = 16


def tags_of(values: pa.Array, *, key: bytes, domain: str) -> Numbers:
    """Return the keyed tag of each text as a number, shape (n,); of nulls any.

    Raises:
        FabricationKeyError: the key has fewer than 16 bytes.
    """
    if len(key) < KEY_BYTES:
        raise FabricationKeyError(f"key: at least {KEY_BYTES} bytes")
    own = hkdf_sm3(key, info=b"fabrication\x00" + domain.encode(), length=32)
    tagged = blind_index(values.fill_null(""), own, 64).cast(pa.binary(8))
    return np.frombuffer(tagged.buffers()[1], dtype=np.uint64)[tagged.offset : tagged.offset + len(tagged)]


def normal_form(values: pa.Array, element: Element | None) -> pa.Array:
    """Return texts in the one spelling by which equal values are known to be equal; blank ones become null."""
    trimmed = pc.utf8_trim_whitespace(values.cast(pa.string()))
    filled = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    pattern = SETTLED.get(NORMAL_FORMS[element.value]) if element and element.value in NORMAL_FORMS else None
    if pattern is None or element is None:
        return filled  # running text has one spelling: its own
    encoded = filled.dictionary_encode()
    known = encoded.dictionary
    settled = pc.match_substring_regex(known, pattern)
    if pc.all(settled).as_py() is False:
        moved = pc.invert(settled)
        rest = [normalise_for_index(element.value, text) for text in known.filter(moved).to_pylist()]
        known = pc.replace_with_mask(known, moved, pa.array(rest, pa.string()))
    return known.take(encoded.indices)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Originals and what stands for them.

    Attributes:
        element: whose spelling decides which originals are the same; None takes them as they are.
        originals: distinct texts in their one spelling, shape (m,).
        values: what stands for each, shape (m,).
        places: number of each in its space, shape (m,); empty for keys.
    """

    element: Element | None
    originals: pa.Array
    values: pa.Array
    places: Numbers

    def apply(self, column: pa.Array) -> pa.Array:
        """Return the column with every original replaced, shape (n,) in and out; null and blank stay.

        Raises:
            ColumnValuesError: a value was not there when the assignment was made.
        """
        asked = normal_form(column, self.element)
        found = pc.index_in(asked, value_set=self.originals)
        if asked.null_count != found.null_count:
            raise ColumnValuesError("source: a value was not there when it was read first; run again on data at rest")
        return pc.coalesce(self.values.take(found), pc.if_else(column.is_valid(), "", None).cast(pa.string()))


def assign(
    originals: pa.Array, element: Element, *, key: bytes, ranges: FictitiousRanges, longest: int | None = None
) -> Assignment:
    """Give each different original a value of the element's space that is none of the originals.

    The order is that of the originals' keyed tags: the same key and data give the same assignment, another key another.

    Cost: about 2 µs an original.

    Raises:
        NoGeneratorError: the element identifies nobody and has no space.
        RangeExhaustedError: the space holds too few.
        FabricationKeyError: the key is too short.
    """
    space = space_of(element, ranges=ranges, longest=longest)
    if space is None:
        raise NoGeneratorError(f"{element.value}: no generator of identifiers; name another treatment")
    distinct = normal_form(originals, element).unique().drop_null()
    tags = tags_of(distinct, key=key, domain=element.value)
    ordered = distinct.take(pa.array(np.argsort(tags, kind="stable")))
    start = int(tags_of(pa.array(["start"]), key=key, domain=element.value)[0] >> np.uint64(1))
    values, places = _free(space, ordered, start=start, element=element)
    return Assignment(element=element, originals=ordered, values=values, places=places)


def _free(space: Space, originals: pa.Array, *, start: int, element: Element) -> tuple[pa.Array, Numbers]:
    """Return as many values as there are originals, none of which is one of them."""
    needed = len(originals)
    found: list[pa.Array] = []
    numbers: list[Numbers] = []
    taken, have = 0, 0
    while have < needed and taken < space.size:
        at_once = min(max(needed - have, 1024), space.size - taken)
        places = space.scattered(np.arange(taken, taken + at_once, dtype=np.uint64), start=start)
        taken += at_once
        made = space.render(places)
        fresh = pc.invert(pc.is_in(made, value_set=originals))
        found.append(made.filter(fresh))
        numbers.append(places[fresh.to_numpy(zero_copy_only=False)])
        have += len(found[-1])
    values = pa.chunked_array(found, pa.string()).combine_chunks()
    places = np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.uint64)
    if have < needed and not (space.reusable and have):
        raise RangeExhaustedError(
            f"{element.value}: {needed:,} different values, the fictitious range holds {have:,} others; "
            "configure wider ranges or take fewer rows"
        )
    chosen = np.arange(needed) % max(have, 1)
    return values.take(pa.array(chosen)), places[chosen]
