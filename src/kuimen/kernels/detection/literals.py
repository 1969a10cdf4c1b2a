"""Words looked for in C, where the extension was built: every place of any of them in one pass."""

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kuimen.kernels.native import NATIVE

_PLACE = struct.Struct("<q")
_SHORT = 2_000  # characters that a pattern goes through quicker than it is asked about places


@dataclass(frozen=True, slots=True)
class Literals:
    """Words made ready."""

    _ready: object

    @classmethod
    def ready(cls, words: Iterable[str]) -> "Literals | None":
        """Return the words made ready, None without the extension; ASCII is found in upper and lower case alike."""
        if NATIVE is None:
            return None
        return cls(NATIVE.literals_new([word.lower().encode() for word in words]))

    def places(self, text: str) -> list[int]:
        """Return every place of `text` where a word stands, in order."""
        assert NATIVE is not None
        found = NATIVE.literals_places(self._ready, text.encode("utf-8", errors="surrogatepass"))
        return [place for (place,) in _PLACE.iter_unpack(found)]

    def matches(self, text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Yield what `pattern.finditer` yields; every match of the pattern begins with one of the words."""
        reached = 0
        for place in self.places(text):
            if place >= reached and (match := pattern.match(text, place)) is not None:
                reached = match.end()
                yield match


def matches(text: str, pattern: re.Pattern[str], words: Literals | None) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern, in long texts by way of the words that they begin with."""
    if words is None or len(text) < _SHORT:
        return pattern.finditer(text)
    return words.matches(text, pattern)
