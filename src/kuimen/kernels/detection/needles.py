"""Search blocks of raw bytes for up to some million values at once, in every encoding a file may hold them.

Each pattern is known by its last eight bytes. Eight bytes at every place of a block are hashed together by numpy and
looked up in a bitmap; what remains is compared with longer hashes and at last byte by byte, so nothing is reported that
is not there, and nothing that is there is missed: the last eight bytes of a pattern are always looked up.
"""

from array import array
from binascii import b2a_base64
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

_GRAM = 8
_LONG = 16
_STRIDE = 1 << 15  # places looked at together: the arrays stay in the second-level cache
_FEWEST_BITS, _MOST_BITS = 16, 26
_FIRST_BITS = 22  # half a megabyte stays in the second-level cache, where every place is looked up
_SPARSENESS = 32  # slots for each pattern: three places in a hundred pass the first look
_WORD = 64
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SECOND_MULTIPLIER = np.uint64(0xC2B2AE3D27D4EB4F)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")

Words = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]


class Encoding(StrEnum):
    """How a value was written."""

    PLAIN = "plain"
    HEX = "hex"
    BASE64 = "base64"
    UTF16_LE = "utf-16-le"
    UTF16_BE = "utf-16-be"
    GB18030 = "gb18030"


_ENCODINGS = tuple(Encoding)
_PLAIN, _HEX, _BASE64, _LITTLE, _BIG, _GB = range(len(_ENCODINGS))


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a value stands.

    Attributes:
        needle: position of the value in what `NeedleSet.build` was given.
        encoding: how it is written there.
        offset: first byte of what was matched; of Base64 the part that does not depend on the neighbours.
        end: one past the last byte.
    """

    needle: int
    encoding: Encoding
    offset: int
    end: int


def encodings_of(value: bytes) -> list[tuple[Encoding, bytes]]:
    """Return every form of a value that is searched, the short ones included.

    Args:
        value: UTF-8 bytes; other bytes have no UTF-16 and no GB18030 form.
    """
    return [(_ENCODINGS[encoding], pattern) for encoding, pattern in _forms(value)]


def _forms(value: bytes) -> list[tuple[int, bytes]]:
    lower = value.hex().encode()
    forms = [(_PLAIN, value), (_HEX, lower)]
    upper = lower.upper()
    if upper != lower:
        forms.append((_HEX, upper))
    for shift in (0, 1, 2):
        core = base64_core(value, shift)
        forms.append((_BASE64, core))
        if b"+" in core or b"/" in core:
            forms.append((_BASE64, core.translate(_URL_SAFE)))
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return forms
    forms.append((_LITTLE, text.encode("utf-16-le")))
    forms.append((_BIG, text.encode("utf-16-be")))
    if not text.isascii():
        forms.append((_GB, text.encode("gb18030")))
    return forms


def base64_core(value: bytes, shift: int) -> bytes:
    """Return the Base64 letters that a value gives whatever stands around it.

    Args:
        value: the bytes.
        shift: how many bytes of the same group of three stand before it, 0 to 2.
    """
    whole = b2a_base64(bytes(shift) + value, newline=False)
    return whole[(0, 2, 3)[shift] : (shift + len(value)) * 8 // 6]


class NeedleSet:
    """Values ready to be searched for.

    Attributes:
        count: different values given.
        patterns: encoded patterns that are searched.
        unsearchable: by encoding, how many values are shorter than eight bytes in it and cannot be searched so.
        overlap: bytes of one block to put before the next, so that nothing on the border is lost.
    """

    __slots__ = ("_blob", "_ends", "_first", "_long", "_owners", "_second", "_short", "_starts", "count",
                 "overlap", "patterns", "unsearchable")  # fmt: skip

    def __init__(self, blob: bytes, lengths: Integers, owners: Integers) -> None:
        """Index patterns that were joined; use `build`."""
        self._blob = blob
        self._owners = owners
        self._ends = np.cumsum(lengths)
        self._starts = self._ends - lengths
        self.patterns = len(lengths)
        self.count = self.patterns
        self.unsearchable: dict[Encoding, int] = {}
        self.overlap = int(lengths.max()) - 1 if self.patterns else 0
        words = _words(blob)
        tails = words[self._ends - _GRAM] if self.patterns else np.zeros(0, dtype=np.uint64)
        self._first = _Sieve(tails, _MULTIPLIER, most_bits=_FIRST_BITS)
        self._second = _Sieve(tails, _SECOND_MULTIPLIER)
        is_long = lengths >= _LONG
        self._short = _Table(tails[~is_long], np.flatnonzero(~is_long))
        fronts = words[self._ends[is_long] - _LONG] if is_long.any() else np.zeros(0, dtype=np.uint64)
        self._long = _Table(_mix(fronts, tails[is_long]), np.flatnonzero(is_long))

    @classmethod
    def build(cls, values: Iterable[bytes]) -> "NeedleSet":
        """Encode the values and index what is at least eight bytes long.

        Args:
            values: UTF-8 bytes of the values; one that occurs twice is reported under its first position.

        Cost: about 20 µs and 400 bytes a value.
        """
        blob, lengths, owners = bytearray(), array("q"), array("q")
        unsearchable = [0] * len(_ENCODINGS)
        seen: set[bytes] = set()
        for position, value in enumerate(values):
            if value in seen:
                continue
            seen.add(value)
            missing = 0
            for encoding, pattern in _forms(value):
                if len(pattern) < _GRAM:
                    missing |= 1 << encoding
                else:
                    blob += pattern
                    lengths.append(len(pattern))
                    owners.append(position * len(_ENCODINGS) + encoding)
            if missing:
                for encoding in range(len(_ENCODINGS)):
                    unsearchable[encoding] += missing >> encoding & 1
        needles = cls(bytes(blob), np.array(lengths, dtype=np.int64), np.array(owners, dtype=np.int64))
        needles.count = len(seen)
        needles.unsearchable = dict(zip(_ENCODINGS, unsearchable, strict=True))
        return needles

    def search(self, block: bytes) -> list[Hit]:
        """Return every place in a block where a value stands, in order of place.

        Cost: about 5 ns a byte on an idle core while hits are rare, two to three times that where other work fills the
        caches or where every byte is a digit of the UTF-16 or hexadecimal kind.
        """
        if len(block) < _GRAM or not self.patterns:
            return []
        words = _words(block)
        sift = self._first.sifter()
        hits: list[Hit] = []
        for start in range(0, len(words), _STRIDE):
            places = sift(words[start : start + _STRIDE])
            if len(places):
                hits.extend(self._confirm(block, words, places + start))
        hits.sort(key=lambda hit: (hit.offset, hit.end, hit.needle))
        return hits

    def search_stream(self, blocks: Iterable[bytes]) -> Iterator[Hit]:
        """Yield every place in a stream of blocks, each once; offsets count from the start of the stream."""
        carried, before = b"", 0
        for block in blocks:
            window = carried + block
            for hit in self.search(window):
                if hit.end > len(carried):
                    yield Hit(hit.needle, hit.encoding, before + hit.offset, before + hit.end)
            kept = min(self.overlap, len(window))
            before += len(window) - kept
            carried = window[len(window) - kept :]

    def _confirm(self, block: bytes, words: Words, places: Integers) -> Iterator[Hit]:
        """Narrow the places by a second hash, then by all bytes of the tail, then byte by byte."""
        tails = words[places]
        near = self._second.passes(tails)
        places, tails = places[near], tails[near]
        if not len(places):
            return
        for place, pattern in self._short.matches(tails, places):
            yield from self._compare(block, place + _GRAM, pattern)
        deep = places >= _LONG - _GRAM
        places, tails = places[deep], tails[deep]
        mixed = _mix(words[places - (_LONG - _GRAM)], tails)
        for place, pattern in self._long.matches(mixed, places):
            yield from self._compare(block, place + _GRAM, pattern)

    def _compare(self, block: bytes, end: int, pattern: int) -> Iterator[Hit]:
        """Compare a whole pattern with the bytes that end at `end`."""
        first, last = int(self._starts[pattern]), int(self._ends[pattern])
        begin = end - (last - first)
        if begin >= 0 and block[begin:end] == self._blob[first:last]:
            needle, encoding = divmod(int(self._owners[pattern]), len(_ENCODINGS))
            yield Hit(needle, _ENCODINGS[encoding], begin, end)


class _Sieve:
    """A bitmap of hashed keys: says no for certain and yes with a doubt. One bit a slot."""

    __slots__ = ("_bitmap", "_bits", "_multiplier")

    def __init__(self, keys: Words, multiplier: np.uint64, *, most_bits: int = _MOST_BITS) -> None:
        self._bits = min(max((_SPARSENESS * len(keys)).bit_length(), _FEWEST_BITS), most_bits)
        self._multiplier = multiplier
        marks = np.zeros(1 << self._bits, dtype=np.bool_)
        marks[((keys * multiplier) >> np.uint64(_WORD - self._bits)).view(np.int64)] = True
        self._bitmap = np.packbits(marks, bitorder="little")

    def passes(self, keys: Words) -> Bits:
        """Tell for each key whether it may be one of the sieve's."""
        slots = (keys * self._multiplier) >> np.uint64(_WORD - self._bits)
        low = (slots & np.uint64(7)).astype(np.uint8)
        return ((self._bitmap[(slots >> np.uint64(3)).view(np.int64)] >> low) & np.uint8(1)).view(np.bool_)

    def sifter(self) -> Callable[[Words], Integers]:
        """Return the same test for up to `_STRIDE` keys at once, in arrays that are used again and again."""
        slots = np.empty(_STRIDE, dtype=np.uint64)
        low = np.empty(_STRIDE, dtype=np.uint8)
        seen = np.empty(_STRIDE, dtype=np.uint8)
        shift, three = np.uint64(_WORD - self._bits), np.uint64(3)

        def sift(keys: Words) -> Integers:
            size = len(keys)
            slot, bit, byte = slots[:size], low[:size], seen[:size]
            np.multiply(keys, self._multiplier, out=slot)
            np.right_shift(slot, shift, out=slot)
            np.bitwise_and(slot.astype("<u8", copy=False).view(np.uint8)[::_GRAM], 7, out=bit)
            np.right_shift(slot, three, out=slot)
            np.take(self._bitmap, slot.view(np.int64), out=byte, mode="clip")
            np.right_shift(byte, bit, out=byte)
            np.bitwise_and(byte, 1, out=byte)
            return np.flatnonzero(byte.view(np.bool_))

        return sift


class _Table:
    """Sorted keys, each with the patterns that have it."""

    __slots__ = ("_keys", "_patterns", "_sieve")

    def __init__(self, keys: Words, patterns: Integers) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._patterns = patterns[order]
        self._sieve = _Sieve(keys, _SECOND_MULTIPLIER)

    def matches(self, keys: Words, places: Integers) -> Iterator[tuple[int, int]]:
        """Yield the places and patterns whose keys are equal."""
        if not len(self._keys):
            return
        near = self._sieve.passes(keys)
        keys, places = keys[near], places[near]
        lows = np.searchsorted(self._keys, keys, side="left")
        for index in np.flatnonzero(self._keys[np.minimum(lows, len(self._keys) - 1)] == keys):
            row = int(lows[index])
            while row < len(self._keys) and self._keys[row] == keys[index]:
                yield int(places[index]), int(self._patterns[row])
                row += 1


def _words(block: bytes) -> Words:
    """Return the eight bytes at every place of a block as one number, without a copy."""
    return np.ndarray(shape=(max(len(block) - _GRAM + 1, 0),), dtype="<u8", buffer=block, strides=(1,))


def _mix(fronts: Words, tails: Words) -> Words:
    """Hash sixteen bytes, given as two numbers, into one."""
    return (fronts * _SECOND_MULTIPLIER) ^ tails
