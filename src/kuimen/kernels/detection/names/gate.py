"""Tells where in a text a name may begin, so that the tagger reads those places only.

A place is open when a surname (or two characters that write foreign sounds) stands there; it is weighed by what
surrounds it: do the characters belong to words that everybody uses, do given names hold them, does something end
behind them. The weights were fitted by `tools/train_name_gate.py`; the words come from the vocabulary of the tagger.
"""

import json
import re
import struct
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files

from kuimen.kernels.detection.names.common_words import COMMON_WORDS, FOREIGN_SOUNDS, SURNAME_ORDER
from kuimen.kernels.detection.names.lexicon import STOPS
from kuimen.kernels.elements.surnames import COMPOUND_SURNAMES, GIVEN_NAME_CHARACTERS, SINGLE_SURNAMES
from kuimen.kernels.native import NATIVE

_HAN = "\u3400-\u9fff\U00020000-\U0003ffff"
_OTHERS = "".join(sorted((FOREIGN_SOUNDS | {name[0] for name in COMPOUND_SURNAMES}) - SINGLE_SURNAMES))
_OPEN = re.compile(
    f"[{''.join(sorted(SINGLE_SURNAMES))}](?=[{_HAN}])|[{_OTHERS}](?=[{''.join(sorted(FOREIGN_SOUNDS))}])"
    f"|(?:{'|'.join(f'{name[0]}(?={name[1]})' for name in sorted(COMPOUND_SURNAMES))})"
)
_BOUNDARY = frozenset(" \t\n,;:!?()\"'|=&·-<>[]{}/#*+~`^$%@\\，。；：、！？（）“”‘’—《》【】…　")
_RARE = 150
_LETTERS = 65_536  # no table holds a letter beyond the first plane
_PLACE = struct.Struct("<q")


@dataclass(frozen=True, kw_only=True)
class GateTable:
    """What the gate was fitted with.

    Attributes:
        pairs: two characters that stand together in a common word.
        triples: the same of three.
        weights: one per feature, in the order of `features`.
        threshold: places below it stay closed.
    """

    pairs: frozenset[str]
    triples: frozenset[str]
    weights: tuple[float, ...]
    threshold: float

    @cached_property
    def weighed(self) -> "_Weighed":
        """The weights by character."""
        return _weighed(self.weights)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What single characters add by where they stand; those not listed add nothing, a first one `unlisted`."""

    first: Mapping[str, float]
    second: Mapping[str, float]
    third: Mapping[str, float]
    fourth: Mapping[str, float]
    before: Mapping[str, float]
    unlisted: float


def _weighed(w: tuple[float, ...]) -> _Weighed:
    firsts = SINGLE_SURNAMES | set(SURNAME_ORDER) | {word for word in COMMON_WORDS if len(word) == 1}
    return _Weighed(
        first={
            letter: w[0]
            + w[1] * (letter in SINGLE_SURNAMES)
            + w[2] * (1 - SURNAME_ORDER.get(letter, _RARE) / _RARE)
            + w[23] * (letter in COMMON_WORDS)
            for letter in firsts
        },
        second={
            letter: w[4] * (letter in GIVEN_NAME_CHARACTERS) + w[6] * (letter in STOPS)
            for letter in GIVEN_NAME_CHARACTERS | STOPS
        },
        third={
            letter: w[5] * (letter in GIVEN_NAME_CHARACTERS) + w[7] * (letter in STOPS) + w[15] * (letter in _BOUNDARY)
            for letter in GIVEN_NAME_CHARACTERS | STOPS | _BOUNDARY
        },
        fourth=dict.fromkeys(_BOUNDARY, w[16]),
        before=dict.fromkeys(_BOUNDARY, w[14]),
        unlisted=w[0],
    )


@lru_cache(maxsize=1)
def shipped_table() -> GateTable:
    """Return the table of the package."""
    table = json.loads((files(__package__) / "gate.json").read_text(encoding="utf-8"))
    pairs, triples = table["pairs"], table["triples"]
    return GateTable(
        pairs=frozenset(map("".join, zip(*[iter(pairs)] * 2, strict=True))),
        triples=frozenset(map("".join, zip(*[iter(triples)] * 3, strict=True))),
        weights=tuple(table["weights"]),
        threshold=table["threshold"],
    )


def open_places(text: str) -> list[int]:
    """Return every place that could be weighed: a surname or a foreign sound before a Chinese character."""
    return [match.start() for match in _OPEN.finditer(text)]


def features(text: str, place: int, table: GateTable) -> tuple[bool | float, ...]:
    """Describe an open place; the order is that of the weights."""
    pairs, triples = table.pairs, table.triples
    behind = text[place : place + 5].partition("\n")[0]  # the next line is another record
    padded = f"{text[place - 1 : place] or chr(10)}{behind}\n\n\n\n\n"
    before, first, second, third, fourth = padded[0], padded[1], padded[2], padded[3], padded[4]
    pair = first + second
    foreign = first in FOREIGN_SOUNDS and second in FOREIGN_SOUNDS
    return (
        1.0,
        first in SINGLE_SURNAMES,
        1 - SURNAME_ORDER.get(first, _RARE) / _RARE,
        pair in COMPOUND_SURNAMES,
        second in GIVEN_NAME_CHARACTERS,
        third in GIVEN_NAME_CHARACTERS,
        second in STOPS,
        third in STOPS,
        pair in pairs,
        before + first in pairs,
        second + third in pairs,
        third + fourth in pairs,
        padded[1:4] in triples,
        padded[:3] in triples,
        before in _BOUNDARY,
        third in _BOUNDARY,
        fourth in _BOUNDARY,
        foreign,
        foreign and third in FOREIGN_SOUNDS,
        before in FOREIGN_SOUNDS and first in FOREIGN_SOUNDS,
        pair in COMMON_WORDS,
        before + first in COMMON_WORDS,
        padded[:3] in COMMON_WORDS or padded[1:4] in COMMON_WORDS,
        first in COMMON_WORDS,
    )


def possible_places(text: str, table: GateTable | None = None) -> list[int]:
    """Return the places where a name may begin.

    Cost: some nanoseconds per character, without the native kernels 0.2 µs per Chinese one.
    """
    if table is None and NATIVE is not None:
        return [place for (place,) in _PLACE.iter_unpack(NATIVE.gate_places(_native_gate(), _as_utf32(text)))]
    table = table or shipped_table()
    found = []
    for place in open_places(text):
        # Two everyday words that overlap here close the place, whatever else speaks for it.
        if text[place : place + 2] in COMMON_WORDS and text[place - 1 : place + 1] in COMMON_WORDS:
            continue
        if score(text, place, table) >= table.threshold:
            found.append(place)
    return found


def is_everyday(word: str) -> bool:
    """Tell whether everybody uses these two or three characters as a word."""
    table = shipped_table()
    return word in COMMON_WORDS or word in table.pairs or word in table.triples


def score(text: str, place: int, table: GateTable) -> float:
    """Return the weighted sum of `features`, without building them."""
    weigh = table.weighed
    pairs, triples, w = table.pairs, table.triples, table.weights
    behind = text[place : place + 5].partition("\n")[0]
    padded = f"{text[place - 1 : place] or chr(10)}{behind}\n\n\n\n\n"
    before, first, second, third, fourth = padded[0], padded[1], padded[2], padded[3], padded[4]
    pair, entering = first + second, before + first
    total = weigh.first.get(first, weigh.unlisted) + weigh.second.get(second, 0.0) + weigh.third.get(third, 0.0)
    total += weigh.fourth.get(fourth, 0.0) + weigh.before.get(before, 0.0)
    total += w[3] * (pair in COMPOUND_SURNAMES) + w[8] * (pair in pairs) + w[9] * (entering in pairs)
    total += w[10] * (second + third in pairs) + w[11] * (third + fourth in pairs)
    total += w[12] * (padded[1:4] in triples) + w[13] * (padded[:3] in triples)
    if first in FOREIGN_SOUNDS:
        total += w[19] * (before in FOREIGN_SOUNDS)
        if second in FOREIGN_SOUNDS:
            total += w[17] + w[18] * (third in FOREIGN_SOUNDS)
    total += w[20] * (pair in COMMON_WORDS) + w[21] * (entering in COMMON_WORDS)
    if padded[:3] in COMMON_WORDS or padded[1:4] in COMMON_WORDS:
        total += w[22]
    return total


@lru_cache(maxsize=1)
def _native_gate() -> object:
    """Return the shipped table in the form of gate.c."""
    assert NATIVE is not None
    table = shipped_table()
    weigh = table.weighed
    starters = SINGLE_SURNAMES | set(_OTHERS)
    kinds = bytes(
        (letter in SINGLE_SURNAMES) | (letter in FOREIGN_SOUNDS) << 1 | (letter in starters) << 2
        for letter in map(chr, range(_LETTERS))
    )
    added = array("d")
    for letters, otherwise in (
        (weigh.first, weigh.unlisted), (weigh.second, 0.0), (weigh.third, 0.0), (weigh.fourth, 0.0), (weigh.before, 0.0)
    ):  # fmt: skip
        added.extend(letters.get(letter, otherwise) for letter in map(chr, range(_LETTERS)))
    words = array("Q")
    for mark, known in ((1, table.pairs | table.triples), (2, COMMON_WORDS), (4, COMPOUND_SURNAMES)):
        for word in known:
            if len(word) in (2, 3):
                key = 0
                for letter in word:
                    key = key << 21 | ord(letter)
                words.extend((key, mark))
    weights = array("d", table.weights)
    made: object = NATIVE.gate_new(kinds, added.tobytes(), words.tobytes(), weights.tobytes(), table.threshold)
    return made


def _as_utf32(text: str) -> bytes:
    return text.encode("utf-32-le", errors="surrogatepass")
