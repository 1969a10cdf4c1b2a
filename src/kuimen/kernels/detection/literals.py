"""Words looked for in C, where the extension was built: every place of any of them in one pass."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from kuimen.kernels.native import NATIVE

_PLACE = struct.Struct("<q")


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
