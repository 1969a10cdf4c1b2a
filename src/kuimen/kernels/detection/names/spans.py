"""Reads names off the best path, and off the odds where the path breaks a name or just misses it.

The tagger was trained on words; a rare given name comes out as name + word (`罗涵` + `逢`), and a name that is also a
word falls to the word by a hair. The odds of the characters still show the name: they stay near even inside it and
drop by whole units behind it.
"""

from collections.abc import Sequence

from kuimen.kernels.detection.names.common_words import FOREIGN_SOUNDS
from kuimen.kernels.detection.names.gate import is_everyday
from kuimen.kernels.detection.names.lexicon import HONORIFICS
from kuimen.kernels.detection.names.port import Span
from kuimen.kernels.detection.names.rules import surname_width
from kuimen.kernels.detection.names.tagger import PERSON_BEGIN, PERSON_INSIDE, Tagged
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.surnames import COMPOUND_SURNAMES, GIVEN_NAME_CHARACTERS

# Odds above which a character still belongs to a name that the path ended before it: one that given names hold, any
# other, one that more often is a verb behind a name; and a surname that the path left out.
EXTEND_ABOVE, OTHERS_ABOVE, VERBS_ABOVE, COMPOUND_ABOVE = -2.2, -1.5, -0.5, -4.5
ENDS_BELOW = -3.0
NEAR_EACH, NEAR_MEAN, NEAR_DROP = -2.5, -1.2, -3.5
BORDER = 1.2  # by how much the odds drop behind a name that ends
_LONGEST_GIVEN, _SURNAME_AND_GIVEN = 2, 3
SOUND_ABOVE = -1.5
_VERBS = frozenset("来作经应去到新夫生")
_OPENS = frozenset(" \t\n,;:!?.。、·()[]【】《》“”\"'|/=")
# No given name holds these, whatever the odds.
_PARTICLES = frozenset("的了在是我你他她它们这那与或但也都还就要会被把将向对从给让请称说之因所并于系曾、，。；：,.;:()")


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
        begin = _begun(text, lead, begin, end)
        found.append((begin, _extended(text, lead, begin, end)))
    found.extend(_just_missed(text, lead, found))
    found.sort()
    return [
        Span(Element.PERSON_NAME, offset + begin, offset + end, round(min(lead[begin:end]), 2)) for begin, end in found
    ]


def _ends(text: str, lead: Sequence[float], begin: int, end: int, below: float = ENDS_BELOW) -> bool:
    """Tell whether a name ends here: no character of a name follows, or its odds drop."""
    return (
        end >= len(lead)
        or lead[end] < below
        or lead[end] < min(lead[begin:end]) - BORDER
        or not "\u3400" <= text[end] <= "\u9fff"
    )


def _whole_sound(text: str, lead: Sequence[float], begin: int, end: int) -> tuple[int, int]:
    """Take in the first and last sounds of a foreign name that the path cut off."""
    if not FOREIGN_SOUNDS.issuperset(text[begin:end]):
        return begin, end
    while begin and text[begin - 1] in FOREIGN_SOUNDS and lead[begin - 1] > SOUND_ABOVE:
        begin -= 1
    while end < len(text) and text[end] in FOREIGN_SOUNDS and lead[end] > SOUND_ABOVE:
        end += 1
    return begin, end


def _begun(text: str, lead: Sequence[float], begin: int, end: int) -> int:
    """Return where a name begins: at a surname the path took for a word, or behind a character it took too many."""
    if text[begin + 1 : begin + 3] in COMPOUND_SURNAMES and end - begin > _SURNAME_AND_GIVEN:
        return begin + 1
    if not begin or end - begin > _LONGEST_GIVEN or FOREIGN_SOUNDS.issuperset(text[begin:end]):
        return begin
    nearest = lead[begin - 1]
    if nearest > COMPOUND_ABOVE and text[begin : begin + 2] not in COMPOUND_SURNAMES:
        if text[max(0, begin - 2) : begin] in COMPOUND_SURNAMES:
            return begin - 2
        if text[begin - 1 : begin + 1] in COMPOUND_SURNAMES:
            return begin - 1
    if surname_width(text, begin - 1) != 1 or surname_width(text, begin) == 1:
        return begin
    opens = begin == 1 or text[begin - 2] in _OPENS
    apart = opens or lead[begin - 2] < min(NEAR_DROP, nearest - BORDER)
    return begin - 1 if apart and nearest > (COMPOUND_ABOVE if opens else EXTEND_ABOVE) else begin


def _extended(text: str, lead: Sequence[float], begin: int, end: int) -> int:
    """Take in the rest of a given name: its odds are near even and drop behind it."""
    width = surname_width(text, begin)
    if not width:
        return end
    # A married name or a name of both parents: 陈林雨泽.
    doubled = width == 1 and surname_width(text, begin + 1) == 1
    for length in range(_LONGEST_GIVEN + doubled, 0, -1):
        limit = begin + width + length
        if limit <= end:
            break
        added = text[end:limit]
        if limit > len(text) or _PARTICLES.intersection(added) or text.startswith(HONORIFICS, limit - 1):
            continue
        least = EXTEND_ABOVE if GIVEN_NAME_CHARACTERS.issuperset(added) else OTHERS_ABOVE
        if len(added) == 1 and (added in _VERBS or is_everyday(text[limit - 1 : limit + 1])):
            least = VERBS_ABOVE
        if min(lead[end:limit]) > least and _ends(text, lead, end, limit):
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
        while end < len(lead) and lead[end] > NEAR_EACH and end - begin < width + _LONGEST_GIVEN:
            end += 1
        given = text[begin + width : end]
        if not given or _PARTICLES.intersection(given) or not _ends(text, lead, begin, end, NEAR_DROP):
            continue
        if sum(lead[begin:end]) / (end - begin) > NEAR_MEAN and not any(a < end and begin < b for a, b in found):
            missed.append((begin, end))
    return missed
