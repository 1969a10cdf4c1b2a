"""Mends what the tagger cuts wrong: compound surnames, names with dots, honorifics taken in, amounts."""

import re
from collections.abc import Sequence

from kuimen.kernels.detection.names.common_words import COMMON_WORDS
from kuimen.kernels.detection.names.lexicon import (
    BEFORE_SURNAMES,
    BRANDS,
    BRANDS_OR_PERSONS,
    HONORIFICS,
    NO_NAMES,
    OF_FIRMS,
    STOPS,
    TITLES,
)
from kuimen.kernels.detection.names.port import Span
from kuimen.kernels.detection.names.rules import HAN, first_part, given_length, last_part, surname_width
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements.surnames import SINGLE_SURNAMES

_PART_BEFORE = re.compile(rf"[{HAN}]{{1,8}}·$")
_PART_BEHIND = re.compile(rf"(?:·[{HAN}]{{1,8}})+")
_HAN_BEHIND = re.compile(rf"[{HAN}]{{1,4}}")
_LATIN_NAME = re.compile(r"[A-Z][A-Za-z'-]+(?: [A-Z][A-Za-z'.-]*)+")
_AMOUNT = frozenset("万千百元亿")
_EDGES = " \t\n·,，、.。:：;；\"“”'()（）<>《》[]【】/|=&"
_BRAND_BESIDE = re.compile(f"{alternation(BRANDS)}|品牌")
_NEAR = 12
_TWO_GOALS = "梅开二度"  # of the football pages; 梅 is a sound of foreign names
_LONGEST_LATIN = 40
_SURE = 2.0


def mended(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return the spans with their edges put right, those that hold no name left out."""
    kept: list[Span] = []
    for span in spans:
        start, end = _edges(text, span.start, span.end)
        if kept and start < kept[-1].end:
            if end <= kept[-1].end:
                continue
            start = kept[-1].end
        if end - start < 2 or text[start:end] in NO_NAMES or any(letter.isdigit() for letter in text[start:end]):  # noqa: PLR2004 - a surname alone
            continue
        if span.margin < _SURE and text[start:end] in COMMON_WORDS:
            continue
        if _addresses_only(text, start, end) or _is_firm(text, start, end):
            continue
        if end < len(text) and text[end] in _AMOUNT and text[start] == "伍":
            continue
        kept.append(Span(span.element, start, end, span.margin))
    return kept


def _addresses_only(text: str, start: int, end: int) -> bool:
    """Tell whether a surname with a title is all there is: 王经理, 小李."""
    if end - start == 2 and text[start] in BEFORE_SURNAMES and text[start + 1] in SINGLE_SURNAMES:  # noqa: PLR2004 - 小李
        return True
    width = surname_width(text, start)
    return bool(width) and text[start + width : end] in TITLES


def _is_firm(text: str, start: int, end: int) -> bool:
    """Tell whether a name is that of a firm or its wares: 李宁公司, 周生生."""
    name = text[start:end]
    if name in BRANDS or text.startswith(OF_FIRMS, end):
        return True
    if text.startswith("公司", end - 1):
        return True
    if name not in BRANDS_OR_PERSONS:
        return False
    return text.startswith("公司", end) or bool(_BRAND_BESIDE.search(text[max(0, start - _NEAR) : end + _NEAR]))


def _edges(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    if start == end:
        return start, end
    if text[start].isascii():
        return _latin(text, start, end)
    if "·" in text[max(0, start - 9) : end + 9]:
        start, end = _dotted(text, start, end)
    if text.startswith(_TWO_GOALS, end - 1):
        end -= 1
    for honorific in HONORIFICS:
        if text.endswith(honorific, start, end) and end - start > len(honorific) + 1:
            end -= len(honorific)
    return start, _with_given_name(text, start, end)


def _latin(text: str, start: int, end: int) -> tuple[int, int]:
    """Take words that the tagger cut apart together: James Wong."""
    for match in _LATIN_NAME.finditer(text, max(0, start - _LONGEST_LATIN), end + _LONGEST_LATIN):
        if match.start() <= start < match.end():
            return match.start(), match.end()
    return start, end


def _dotted(text: str, start: int, end: int) -> tuple[int, int]:
    before = _PART_BEFORE.search(text, max(0, start - 9), start)
    if before and text[start - 1] == "·":
        start = first_part(text, before.start())
    elif text[start - 1 : start] == text[start]:
        start -= 1  # a sound written twice at the beginning: 买买提
    behind = _PART_BEHIND.match(text, end)
    return start, last_part(text, end, behind.end()) if behind else end


def _with_given_name(text: str, start: int, end: int) -> int:
    """Add the given name where only a surname was taken."""
    width = surname_width(text, start)
    if not width or end - start > width:
        return end
    run = _HAN_BEHIND.match(text, end)
    if run is None:
        return end
    length = given_length(text, end, run.end())
    given = text[end : end + length]
    return end if STOPS.intersection(given) else end + length
