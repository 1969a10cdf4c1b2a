"""Cuts the stretches of text that the tagger must read: a possible place with as much around it as decides."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

_CUT = re.compile(r"[，。；！？,;!?\n\t|]")
_LEFT_LEAST, _LEFT_MOST = 1, 12
_RIGHT_LEAST, _RIGHT_MOST = 5, 12
_LONGEST = 256


def windows_around(text: str, places: Sequence[int]) -> list[tuple[int, int]]:
    """Return non-empty stretches, in order and apart, that hold every place between two punctuation marks.

    A line is never left. A stretch begins at most `_LEFT_MOST` characters before a place and ends `_RIGHT_MOST` behind
    one; stretches that touch grow together up to `_LONGEST` characters, so that what a tagger holds is bounded.
    """
    if not places:
        return []
    cuts = [match.start() for match in _CUT.finditer(text)]
    stretches: list[tuple[int, int]] = []
    for place in places:
        start, end = _left(text, cuts, place), _right(text, cuts, place)
        if stretches and start <= stretches[-1][1]:
            first, last = stretches[-1]
            if end <= last:
                continue
            if end - first <= _LONGEST:
                stretches[-1] = (first, end)
                continue
            start = last
        stretches.append((start, end))
    return stretches


def _left(text: str, cuts: list[int], place: int) -> int:
    index = bisect_left(cuts, place) - 1
    while index >= 0 and place - cuts[index] <= _LEFT_LEAST and text[cuts[index]] != "\n":
        index -= 1
    start = cuts[index] + 1 if index >= 0 else 0
    return start if place - start <= _LEFT_MOST else place - _LEFT_MOST


def _right(text: str, cuts: list[int], place: int) -> int:
    index = bisect_right(cuts, place)
    while index < len(cuts) and cuts[index] - place <= _RIGHT_LEAST and text[cuts[index]] != "\n":
        index += 1
    end = cuts[index] + (text[cuts[index]] != "\n") if index < len(cuts) else len(text)
    return end if end - place <= _RIGHT_MOST else place + _RIGHT_MOST
