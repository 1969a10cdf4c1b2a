"""Numbers with structure: resident identity, cards, phones, IMEI, all-digit company codes.

One pass over the runs of digits; the length of a run decides what is tried. Identity numbers come before cards, because
one all-digit identity number in ten also passes the check of a card.
"""

import re
from collections.abc import Iterator

from kuimen.kernels.detection.context import judge, label_before
from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.elements.checks import (
    is_calendar_date,
    luhn_holds,
    organisation_code_holds,
    resident_id_checksum_holds,
    uscc_checksum_holds,
)
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import DivisionRank, IssuerRank, RecognitionTables

_RUN = re.compile(r"[0-9]{7,}")
_SEPARATED = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"[0-9]{4}(?:[ -][0-9]{4}){3}(?:[ -][0-9]{1,3})?"
    r"|[0-9]{6}[ -](?:18|19|20)[0-9]{6}[ -][0-9]{3}[0-9Xx]"
    r"|[0-9]{6}[ -](?:18|19|20)[0-9]{2}[ -]?[0-9]{4}[ -][0-9]{3}[0-9Xx]"
    r"|[0-9]{6}[ -][0-9]{13}|[0-9]{6}[ -][0-9]{6}[ -][0-9]{4,7}"
    r"|1[3-9][0-9](?:[ -][0-9]{4}){2}|1[3-9][0-9][ -][0-9]{8}|1[3-9][0-9]{5}[ -][0-9]{4}"
    r")(?![0-9A-Za-z])"
)
_SEPARATED_GATE = re.compile(r"[0-9]{3}[ -][0-9]{4}")
_LANDLINE = re.compile(
    r"(?<![0-9A-Za-z.])(?:\(0[1-9][0-9]{1,2}\)[ -]?|0[1-9][0-9]{1,2}[ -])[1-9][0-9]{6,7}"
    r"(?:[-转][0-9]{1,6})?(?![0-9A-Za-z])"
    r"|(?<![0-9A-Za-z.])[48]00-[0-9]{3}-?[0-9]{4}(?![0-9A-Za-z-])"
)
_LANDLINE_GATE = re.compile(r"0[0-9]{2,3}[ )-][1-9]|[48]00-")
_OVERSEAS = re.compile(
    r"\+(?:852[- ]?[4-9][0-9]{3}[- ]?[0-9]{4}|853[- ]?6[0-9]{3}[- ]?[0-9]{4}|886[- ]?9[0-9]{8})(?![0-9])"
)
_COUNTRY_CODE = re.compile(r"(?:\+|00)86[- ]?$|\(\+86\) ?$")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
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
        if end - start > 19:  # noqa: PLR2004 - no number we know is longer
            continue
        yield from _dispatch(text, start, end, tables)
    if _SEPARATED_GATE.search(text):
        for match in _SEPARATED.finditer(text):
            yield from _separated(text, match.start(), match.end(), tables)
    if _LANDLINE_GATE.search(text):
        for match in _LANDLINE.finditer(text):
            yield from _hyphened_landline(text, match.start(), match.end(), tables)
    if "+" in text:
        for match in _OVERSEAS.finditer(text):
            pieces = (Evidence(EvidenceKind.FORMAT, "mobile with country code", 3),)
            yield _candidate(Element.MOBILE, text, match.start(), match.end(), pieces)


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
    if before in _LETTERS and label_before(text, start).element is None:
        return
    if behind[:1] == "." and behind[1:].isdecimal():
        return
    fraction = before == "." and start > 1 and text[start - 2].isdecimal()
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


def identity_evidence(number: str, tables: RecognitionTables) -> tuple[Element, tuple[Evidence, ...]] | None:
    """Return what eighteen characters prove: a resident identity, a residence or a permanent-residence permit."""
    if not is_calendar_date(number[6:14]) or not resident_id_checksum_holds(number):
        return None
    proof = (
        Evidence(EvidenceKind.FORMAT, "eighteen characters with a real date", 1),
        Evidence(EvidenceKind.CHECKSUM, "MOD 11-2", 3),
    )
    if number[:6] in {"810000", "820000", "830000"}:
        return Element.OTHER_CERTIFICATE, (*proof, Evidence(EvidenceKind.TABLE, "residence permit", 2))
    rank = tables.division_rank(number[:6])
    if rank is not DivisionRank.UNKNOWN:
        return Element.RESIDENT_ID, (*proof, Evidence(EvidenceKind.TABLE, f"area:{rank.name.lower()}", int(rank)))
    if number[0] == "9" and number[1:3] in tables.provinces:
        return Element.OTHER_CERTIFICATE, (*proof, Evidence(EvidenceKind.TABLE, "permanent residence card", 1))
    return None


def mobile_evidence(digits: str, tables: RecognitionTables) -> tuple[Evidence, ...]:
    """Return what eleven digits prove; nothing where the tables reserve them."""
    if not "3" <= digits[1] <= "9" or digits[0] != "1" or tables.is_reserved_mobile(digits):
        return ()
    shape = Evidence(EvidenceKind.FORMAT, "eleven digits", 1)
    return (shape, Evidence(EvidenceKind.TABLE, "number segment", 2)) if tables.is_mobile(digits) else (shape,)


def card_evidence(digits: str, tables: RecognitionTables) -> tuple[Evidence, ...]:
    """Return what 13 to 19 digits prove about a card; nothing without the Luhn check."""
    if not luhn_holds(digits) or digits[:6] in tables.reserved_bins:
        return ()
    rank = tables.issuer_rank(digits)
    if rank is IssuerRank.UNKNOWN:
        return ()
    weight = {IssuerRank.ISSUER: 3, IssuerRank.UNIONPAY: 2, IssuerRank.NETWORK: 0}[rank]
    return (
        Evidence(EvidenceKind.CHECKSUM, "Luhn", 2),
        Evidence(EvidenceKind.TABLE, f"issuer number:{rank.name.lower()}", weight),
    )


def landline_evidence(digits: str, tables: RecognitionTables, *, hyphen: bool) -> tuple[Evidence, ...]:
    """Return what an area code and a subscriber number prove."""
    for width in (3, 4):
        if digits[:width] in tables.area_codes and len(digits) - width in (7, 8) and digits[width] in "23456789":
            shape = Evidence(EvidenceKind.FORMAT, "area code parted" if hyphen else "digits only", 2 if hyphen else 1)
            return (shape, Evidence(EvidenceKind.TABLE, "area code", 2 if hyphen else 1))
    return ()


def company_code_evidence(code: str, tables: RecognitionTables) -> tuple[Evidence, ...]:
    """Return what eighteen characters prove about a unified social credit code."""
    if code[0] not in "123456789ANY" or code[1] not in "1234569" or not code[2:8].isdecimal():
        return ()
    rank = tables.division_rank(code[2:8])
    if code[2:4] not in tables.provinces and code[2:4] != "10":
        return ()
    if not uscc_checksum_holds(code):
        return ()
    letters = not code.isdecimal()
    pieces = [
        Evidence(EvidenceKind.FORMAT, "eighteen characters of the alphabet", int(letters)),
        Evidence(EvidenceKind.CHECKSUM, "MOD 31", 3 if letters else 1),
        Evidence(EvidenceKind.TABLE, "registration area", 1 if rank else 0),
    ]
    if organisation_code_holds(code[8:17]):
        pieces.append(Evidence(EvidenceKind.CHECKSUM, "organisation code inside", 2))
    return tuple(pieces)


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
