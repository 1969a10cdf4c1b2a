"""Spans kept in order, to ask quickly whether a new one touches them."""

from bisect import bisect_left, insort
from collections.abc import Iterable


class Intervals:
    """Spans of a text; asking costs the logarithm of their number.

    Args:
        spans: the first ones, in any order; they may overlap a little, as rules do that see one name twice.
    """

    __slots__ = ("_longest", "_spans")

    def __init__(self, spans: Iterable[tuple[int, int]] = ()) -> None:
        self._spans = sorted(spans)
        self._longest = max((end - start for start, end in self._spans), default=0)

    def add(self, start: int, end: int) -> None:
        """Keep one more span."""
        insort(self._spans, (start, end))
        self._longest = max(self._longest, end - start)

    def touches(self, start: int, end: int) -> bool:
        """Tell whether a kept span shares a character with this one."""
        index = bisect_left(self._spans, (start - self._longest, 0))
        while index < len(self._spans) and self._spans[index][0] < end:
            if self._spans[index][1] > start:
                return True
            index += 1
        return False
