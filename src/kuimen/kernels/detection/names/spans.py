"""Reads names off the best path, and off the odds where the path breaks a name or just misses it.

The tagger was trained on words; a rare given name comes out as name + word (`罗涵` + `逢`), and a name that is also a
word falls to the word by a hair. The odds of the characters still show the name: they stay near even inside it and
drop by whole units behind it.
"""

from collections.abc import Sequence

from kuimen.kernels.detection.names.common_words import FOREIGN_SOUNDS
from kuimen.kernels.detection.names.lexicon import STOPS
from kuimen.kernels.detection.names.port import Span
from kuimen.kernels.detection.names.rules import surname_width
from kuimen.kernels.detection.names.tagger import PERSON_BEGIN, PERSON_INSIDE, Tagged
from kuimen.kernels.elements.model import Element

EXTEND_ABOVE, ENDS_BELOW = -1.5, -3.0
NEAR_EACH, NEAR_MEAN, NEAR_DROP = -2.0, -1.0, -3.5
_LONGEST_GIVEN = 2
SOUND_ABOVE = -1.5


def names_in_window(text: str, tagged: Tagged, offset: int) -> list[Span]:
    """Return the names of one window, offsets counted from `offset`.

    Args:
        text: the window.
        tagged: its tags and odds.
        offset: where the window begins in its text.
    """
    tags, lead = tagged.tags, tagged.odds
    found: list[tuple[int, int]] = []
    last = 0
    while (first := tags.find(PERSON_BEGIN, last)) >= 0:
        last = first + 1
        while last < len(tags) and tags[last] == PERSON_INSIDE:
            last += 1
        if found and first < found[-1][1]:
            continue
        begin, end = _whole_sound(text, lead, first, last)
        found.append((begin, _extended(text, lead, begin, end)))
    found.extend(_just_missed(text, lead, found))
    found.sort()
    return [
        Span(Element.PERSON_NAME, offset + begin, offset + end, round(min(lead[begin:end]), 2)) for begin, end in found
    ]


def _drops(lead: Sequence[float], place: int, below: float) -> bool:
    return place >= len(lead) or lead[place] < below


def _whole_sound(text: str, lead: Sequence[float], begin: int, end: int) -> tuple[int, int]:
    """Take in the first and last sounds of a foreign name that the path cut off."""
    if not FOREIGN_SOUNDS.issuperset(text[begin:end]):
        return begin, end
    while begin and text[begin - 1] in FOREIGN_SOUNDS and lead[begin - 1] > SOUND_ABOVE:
        begin -= 1
    while end < len(text) and text[end] in FOREIGN_SOUNDS and lead[end] > SOUND_ABOVE:
        end += 1
    return begin, end


def _extended(text: str, lead: Sequence[float], begin: int, end: int) -> int:
    """Take in the rest of a given name: its odds are near even and drop behind it."""
    width = surname_width(text, begin)
    if not width:
        return end
    for length in range(_LONGEST_GIVEN, 0, -1):
        limit = begin + width + length
        if limit <= end:
            break
        if limit > len(text) or STOPS.intersection(text[end:limit]):
            continue
        if min(lead[end:limit]) > EXTEND_ABOVE and _drops(lead, limit, ENDS_BELOW):
            return limit
    return end


def _just_missed(text: str, lead: Sequence[float], found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return names that lost to a word by little."""
    missed = []
    for begin in range(len(text) - 1):
        if lead[begin] <= NEAR_EACH or (begin and lead[begin - 1] > NEAR_DROP):
            continue
        width = surname_width(text, begin)
        if not width:
            continue
        end = begin + 1
        while end < len(lead) and lead[end] > NEAR_EACH:
            end += 1
        given = text[begin + width : end]
        if not 1 <= len(given) <= _LONGEST_GIVEN or STOPS.intersection(given) or not _drops(lead, end, NEAR_DROP):
            continue
        if sum(lead[begin:end]) / (end - begin) > NEAR_MEAN and not any(a < end and begin < b for a, b in found):
            missed.append((begin, end))
    return missed
