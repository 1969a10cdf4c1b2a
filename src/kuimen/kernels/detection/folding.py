"""Fold a text for recognition and lead every offset back to the text that was given.

Full-width letters and digits, ideographic spaces and mathematical digits become ASCII (NFKC, letter by letter);
characters without width vanish. Circled and raised digits stay as they are: before or behind a number they count items
and notes. Nothing else moves, so most offsets are the same on both sides.
"""

import re
import unicodedata
from dataclasses import dataclass

_ONE_TO_ONE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_ONE_TO_ONE[0x3000] = 0x20
_ONE_TO_ONE[0x00A0] = 0x20
_ONE_TO_ONE.update(dict.fromkeys((0x2022, 0x2027, 0x30FB, 0xFF65, 0x2219, 0x22C5, 0x16EB), 0x00B7))  # dots inside names
_ONE_TO_ONE.update(dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), 0x2D))
_ORDINALS = frozenset(
    map(chr, (*range(0x2070, 0x20A0), *range(0x2460, 0x2500), *range(0x2776, 0x2794), 0xB2, 0xB3, 0xB9))
)
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad\ufe00-\ufe0f]")

_FOLDABLE = re.compile(f"[{re.escape(''.join(map(chr, _ONE_TO_ONE)))}]")
_LETTERS = {chr(code): chr(plain) for code, plain in _ONE_TO_ONE.items()}


def _fold_letter(match: re.Match[str]) -> str:
    return _LETTERS[match[0]]


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; `origins[i]` is where folded character i came from, None when nothing moved."""

    text: str
    origins: list[int] | None
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that covers a non-empty folded span."""
        if self.origins is None:
            return start, end
        last = self.origins[end - 1] + 1
        return self.origins[start], last


def fold(text: str) -> Folded:
    """Return the folded text with the way back.

    Cost: one pass for ASCII and for text in NFKC after full-width forms are folded; a loop over the characters of the
    lines that are not.
    """
    if text.isascii():
        return Folded(text, None, len(text))
    simple = _FOLDABLE.sub(_fold_letter, text)
    if unicodedata.is_normalized("NFKC", simple) and not _INVISIBLE.search(simple):
        return Folded(simple, None, len(text))
    pieces: list[str] = []
    origins: list[int] = []
    position = 0
    for line in simple.split("\n"):
        if line.isascii() or (unicodedata.is_normalized("NFKC", line) and not _INVISIBLE.search(line)):
            pieces.append(line)
            origins.extend(range(position, position + len(line)))
        else:
            pieces.append(_fold_line(line, position, origins))
        origins.append(position + len(line))
        position += len(line) + 1
    origins.pop()
    return Folded("\n".join(pieces), origins, len(text))


def _fold_line(line: str, start: int, origins: list[int]) -> str:
    """Return a line letter by letter in NFKC and note where each letter came from."""
    letters: list[str] = []
    for position, letter in enumerate(line, start):
        if _INVISIBLE.match(letter):
            continue
        plain = letter if letter.isascii() or letter in _ORDINALS else unicodedata.normalize("NFKC", letter)
        letters.append(plain)
        origins.extend([position] * len(plain))
    return "".join(letters)
