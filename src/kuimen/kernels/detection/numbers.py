"""Numbers with structure: resident identity, cards, phones, IMEI, all-digit company codes.

One pass over the runs of digits; the length of a run decides what is tried. Identity numbers come before cards, because
one all-digit identity number in ten also passes the check of a card.
"""

import re
from collections.abc import Iterator

from kuimen.kernels.detection.context import for_numbers, judge, label_before
from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.detection.identifiers import recognise_at_run
from kuimen.kernels.detection.proofs import (
    card_evidence,
    company_code_evidence,
    identity_evidence,
    landline_evidence,
    mobile_evidence,
)
from kuimen.kernels.elements.checks import is_calendar_date, luhn_holds
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import DivisionRank, RecognitionTables

_RUN = re.compile(r"[0-9]{7,}")
_SEPARATED = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"(?<![0-9]-)[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?(?!-[0-9])"
    r"|3[47][0-9]{2}[ -](?:[0-9]{6}[ -][0-9]{5}|[0-9]{4}[ -][0-9]{4}[ -][0-9]{3})"
    r"|[0-9]{6}[ -](?:18|19|20)[0-9]{6}[ -][0-9]{3}[0-9Xx]"
    r"|[0-9]{6}[ -](?:18|19|20)[0-9]{2}[ -]?[0-9]{4}[ -][0-9]{3}[0-9Xx]"
    r"|[0-9]{6}[ -][0-9]{13}|[0-9]{6}[ -][0-9]{6}[ -][0-9]{4,7}"
    r"|1[3-9][0-9](?:[ -][0-9]{4}){2}|1[3-9][0-9][ -][0-9]{8}|1[3-9][0-9]{5}[ -][0-9]{4}"
    r")(?![0-9A-Za-z])"
)
# A blank, hyphen or bracket between groups of digits; the groups before it are looked at only here.
_SEPARATOR = re.compile(r"[ )-](?=[0-9]{3})(?<=[0-9]{3}.)")
_LANDLINE = re.compile(
    r"(?<![0-9A-Za-z.])(?:\(0[1-9][0-9]{1,2}\)[ -]?|0[1-9][0-9]{1,2}[ -])[1-9][0-9]{6,7}"
    r"(?:[-转][0-9]{1,6})?(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z.])[48]00-[0-9]{3}-?[0-9]{4}(?![0-9A-Za-z-])"
)
_OVERSEAS = re.compile(
    r"\+(?:852[- ]?[4-9][0-9]{3}[- ]?[0-9]{4}|853[- ]?6[0-9]{3}[- ]?[0-9]{4}|886[- ]?9[0-9]{8})(?![0-9])"
)
_COUNTRY_CODE = re.compile(r"(?:\+|00)86[- ]?\Z|\(\+86\) ?\Z|(?<![0-9A-Za-z+-])86-\Z")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
# What may stand behind the digits of a card track, a company code, a permit.
_OPENERS = frozenset("=D(ABCEFGHJKLMNPQRTUWXYabcefghjklmnpqrtuwxyd")
_DIGITS = frozenset("0123456789")
_LONGEST_RUN = 21
_LENGTHS = frozenset(range(10, 20))
_MOBILE_LENGTH = 11
_CARD_LENGTHS = range(13, 20)
_RESIDENT_ID_LENGTH = 18
_OLD_RESIDENT_ID_LENGTH = 15
_LANDLINE_LENGTHS = range(10, 13)
_PREFIXED_MOBILES = {13: "86", 15: "0086"}


def recognise_numbers(text: str, tables: RecognitionTables) -> Iterator[Candidate]:
    """Yield candidates for every number in folded text."""
    for match in _RUN.finditer(text):
        start, end = match.span()
        if end - start > _LONGEST_RUN:
            continue
        behind = text[end : end + 1]
        if behind in _OPENERS or text[start - 1 : start].isalpha():
            yield from recognise_at_run(text, start, end, tables)
        if end - start in _LENGTHS:
            yield from _dispatch(text, start, end, tables)
    grouped = Grouped(text, tables)
    for gate in _SEPARATOR.finditer(text):
        start = gate.start()
        while start and text[start - 1] in _DIGITS:
            start -= 1
        yield from grouped.at(start, gate.start())
    place = text.find("+")
    while place >= 0:
        yield from overseas_at(text, place)
        place = text.find("+", place + 1)


def overseas_at(text: str, start: int) -> Iterator[Candidate]:
    """Yield the mobile number with the code of Hong Kong, Macau or Taiwan that opens at a plus sign."""
    match = _OVERSEAS.match(text, start)
    if match:
        pieces = (Evidence(EvidenceKind.FORMAT, "mobile with country code", 3),)
        yield _candidate(Element.MOBILE, text, match.start(), match.end(), pieces)


class Grouped:
    """Numbers whose groups are parted; asked at each first separator of a number, from left to right."""

    __slots__ = ("_reached", "_tables", "_text")

    def __init__(self, text: str, tables: RecognitionTables) -> None:
        """Begin at the start of a folded text."""
        self._text, self._tables, self._reached = text, tables, 0

    def at(self, start: int, gate: int) -> Iterator[Candidate]:
        """Yield what opens at `start`, the first digit of the run that the separator at `gate` ends."""
        text = self._text
        if start < self._reached:
            return
        self._reached = gate + 1
        match = _SEPARATED.match(text, start)
        if match:
            self._reached = match.end()
            yield from _separated(text, match.start(), match.end(), self._tables)
        if text[start] in "048":
            begin = start - 1 if text[start - 1 : start] == "(" else start
            landline = _LANDLINE.match(text, begin) or _LANDLINE.match(text, start)
            if landline:
                self._reached = max(self._reached, landline.end())
                yield from _hyphened_landline(text, landline.start(), landline.end(), self._tables)


def _dispatch(text: str, start: int, end: int, tables: RecognitionTables) -> Iterator[Candidate]:
    before = text[start - 1] if start else "\n"
    behind = text[end : end + 2]
    digits = text[start:end]
    if (
        behind[:1] in ("X", "x")
        and len(digits) == _RESIDENT_ID_LENGTH - 1
        and behind[1:2] not in _LETTERS | set("0123456789")
    ):
        digits, end, behind = digits + behind[0], end + 1, text[end + 1 : end + 3]
    if behind[:1] in _LETTERS:
        return
    if before in _LETTERS and for_numbers(label_before(text, start)).element is None:
        return
    if behind[:1] == "." and behind[1:] in _DIGITS:
        return
    fraction = before == "." and start > 1 and text[start - 2] in _DIGITS
    yield from _by_length(text, start, end, digits, tables, fraction=fraction)


def _by_length(
    text: str, start: int, end: int, digits: str, tables: RecognitionTables, *, fraction: bool
) -> Iterator[Candidate]:
    """Try what a run of this length can be; behind a decimal point only checked identity numbers count."""
    length = len(digits)
    if length == _RESIDENT_ID_LENGTH:
        yield from _eighteen(text, start, end, digits, tables)
    if fraction:
        return
    if length == _MOBILE_LENGTH and digits[0] == "1":
        yield from _mobile(text, start, end, digits, tables)
    elif length in _PREFIXED_MOBILES and digits.startswith(_PREFIXED_MOBILES[length]):
        begin = start - 1 if text[start - 1 : start] == "+" else start
        yield from _proven(Element.MOBILE, text, begin, end, mobile_evidence(digits[-_MOBILE_LENGTH:], tables))
    if length == _OLD_RESIDENT_ID_LENGTH:
        yield from _fifteen_digits(text, start, end, digits, tables)
    if length in _CARD_LENGTHS and digits.isdecimal():
        yield from _proven(Element.BANK_CARD, text, start, end, card_evidence(digits, tables))
    elif length in _LANDLINE_LENGTHS and digits[0] == "0":
        yield from _proven(Element.LANDLINE, text, start, end, landline_evidence(digits, tables, hyphen=False))


def _eighteen(text: str, start: int, end: int, digits: str, tables: RecognitionTables) -> Iterator[Candidate]:
    found = identity_evidence(digits, tables)
    if found is not None:
        yield _candidate(found[0], text, start, end, found[1])
    if digits.isdecimal():
        yield from _proven(Element.USCC, text, start, end, company_code_evidence(digits, tables))


def _mobile(text: str, start: int, end: int, digits: str, tables: RecognitionTables) -> Iterator[Candidate]:
    """Try eleven digits as a mobile number; a country code before them belongs to the datum."""
    code = _COUNTRY_CODE.search(text, max(0, start - 6), start)
    yield from _proven(Element.MOBILE, text, code.start() if code else start, end, mobile_evidence(digits, tables))


def _proven(element: Element, text: str, start: int, end: int, pieces: tuple[Evidence, ...]) -> Iterator[Candidate]:
    """Yield a candidate where the digits proved something."""
    if pieces:
        yield _candidate(element, text, start, end, pieces)


def _candidate(element: Element, text: str, start: int, end: int, pieces: tuple[Evidence, ...]) -> Candidate:
    return Candidate(element, start, end, pieces + judge(element, text, start, end))


def _fifteen_digits(text: str, start: int, end: int, digits: str, tables: RecognitionTables) -> Iterator[Candidate]:
    rank = tables.division_rank(digits[:6])
    if rank >= DivisionRank.PREFECTURE and is_calendar_date("19" + digits[6:12]):
        pieces = (
            Evidence(EvidenceKind.FORMAT, "fifteen digits with a real date", 1),
            Evidence(EvidenceKind.TABLE, f"area:{rank.name.lower()}", 1),
        )
        yield _candidate(Element.RESIDENT_ID, text, start, end, pieces)
    if luhn_holds(digits):
        yield _candidate(Element.IMEI, text, start, end, (Evidence(EvidenceKind.CHECKSUM, "Luhn", 1),))


def _separated(text: str, start: int, end: int, tables: RecognitionTables) -> Iterator[Candidate]:
    """Try a number that blanks or hyphens part into its usual groups."""
    digits = text[start:end].replace(" ", "").replace("-", "")
    grouping = Evidence(EvidenceKind.FORMAT, "usual grouping", 1)
    if len(digits) == _MOBILE_LENGTH:
        yield from _mobile(text, start, end, digits, tables)
        return
    if len(digits) == _RESIDENT_ID_LENGTH:
        found = identity_evidence(digits, tables)
        if found is not None:
            yield _candidate(found[0], text, start, end, found[1])
            return
    if len(digits) in _CARD_LENGTHS and digits.isdecimal():
        pieces = card_evidence(digits, tables)
        if pieces:
            yield _candidate(Element.BANK_CARD, text, start, end, (*pieces, grouping))


def _hyphened_landline(text: str, start: int, end: int, tables: RecognitionTables) -> Iterator[Candidate]:
    span = text[start:end]
    if span[0] in "48":
        pieces: tuple[Evidence, ...] = (Evidence(EvidenceKind.FORMAT, "service number parted", 3),)
    else:
        main = re.split(r"(?<=[0-9]{7})[-转]", span)[0]
        pieces = landline_evidence("".join(filter(str.isdecimal, main)), tables, hyphen=True)
    if pieces:
        yield _candidate(Element.LANDLINE, text, start, end, pieces)
