"""Identifiers with letters: mail, company codes, plates, permits, network and device addresses, card tracks, keys.

Every pattern is entered through a sign that is rare in ordinary text, so that a log costs little where it holds none.
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache

from kuimen.kernels.detection.context import judge, label_before
from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.detection.proofs import company_code_evidence
from kuimen.kernels.elements.checks import hong_kong_id_holds, luhn_holds, taiwan_id_holds, track2_holds
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.kernels.elements.words import words

_MAILBOX = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
_LONGEST_MAILBOX = 64
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,4}[A-Za-z]{2,24}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
)
FILE_ENDINGS = words(
    """
    png jpg jpeg gif svg webp bmp ico css js ts jsx tsx py java class jar sh so dll exe zip gz tar log txt md html htm
    json xml yml yaml sql
    """,
)
_USCC = re.compile(r"[1-9ANY][1-9][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])", re.IGNORECASE | re.ASCII)
_PLATE_BODY = (
    r"[A-HJ-NP-Z][·. ]?(?:[DABCEFGHJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[DABCEFGHJK]"
    r"|(?=[A-Z0-9]{0,4}[0-9])[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])(?![0-9A-Za-z])"
)
_PERMIT = re.compile(
    r"(?:(?P<passport>[EG][0-9]{8}|E[A-HJ-NP-Z][0-9]{7}|[DSP]E?[0-9]{7,8}|MA[0-9]{7})"
    r"|(?P<permit>[HM][0-9]{8}(?:[0-9]{2})?|C[A-HJ-NP-Z0-9][0-9]{7}|[WLT][0-9]{8}|[A-Z]{3}[0-9]{12})"
    r"|(?P<tw>[A-Z][1289][0-9]{8}))(?![0-9A-Za-z])"
)
_BRACKETED = re.compile(r"\([0-9A]\)(?![0-9A-Za-z])")
_BEFORE_BRACKET = re.compile(r"(?<![0-9A-Za-z])(?:([A-Z]{1,2})([0-9]{6})|[1578][0-9]{6})\Z")
_MILITARY = re.compile(r"[军武海空火政后装北沈兰济南广成]字第?[0-9]{6,8}号?")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_IPV4_MIDDLE = re.compile(rf"\.{_OCTET}\.{_OCTET}\.{_OCTET}(?![0-9A-Za-z]|\.[0-9])")
_IPV4_FIRST = re.compile(rf"(?<![0-9A-Za-z.]){_OCTET}\Z")
_COLONS = re.compile(r"::|:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}:")
_HYPHENS = re.compile(r"-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-")
_COLON_RUN = re.compile(r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])")
_MAC = re.compile(r"(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})(?![0-9A-Za-z:-])")
_WXID = re.compile(r"wxid_[0-9A-Za-z_]{6,30}")
_EAST = r"(?:7[3-9]|[89][0-9]|1[0-2][0-9]|13[0-5])\.[0-9]{4,15}"
_NORTH = r"(?:[3-9]|[1-4][0-9]|5[0-4])\.[0-9]{4,15}"
_COORDINATES = re.compile(rf"(?<![0-9.])(?:{_EAST} ?, ?{_NORTH}|{_NORTH} ?, ?{_EAST})(?![0-9.])")
_COORDINATES_GATE = re.compile(r"\.[0-9]{4,15} ?, ?[0-9]{1,3}\.[0-9]{4}")
_TRACK2 = re.compile(r"([0-9]{13,19})[=D]([0-9]{4})[0-9]{3,20}[0-9F]{0,2}\??(?![0-9A-Za-z=])")
_TRACK1 = re.compile(r"%?(?:99|B)([0-9]{13,19})\^[^^\n]{2,26}\^([0-9]{4})[0-9]{3}[^?\n]{0,40}\?")
_TRACK3 = re.compile(r"(?:99|01)([0-9]{13,19})=[0-9=]{20,90}\??")
# Its lines end in ends of lines, or in JSON in what stands for them; some begin with headers.
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----"
    r"(?:(?:\s|\\[nr])*+(?:[A-Za-z][A-Za-z-]{1,30}: [^\n\\]{1,200}|[A-Za-z0-9+/=]++))*+"
    r"(?:(?:\s|\\[nr])*+-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----)?"
)
_URL_GOES_ON = re.compile(r"[ /?=&#,;\"'<>()]")  # behind these a URL holds no user and password any more
_KEY_OPENINGS = ("AKIA", "LTAI", "AKID", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "sk-", "xox", "eyJ")
_KEY_SHAPES = re.compile(
    r"(?<![0-9A-Za-z_-])(?:AKIA[0-9A-Z]{16}|LTAI[0-9A-Za-z]{12,24}|AKID[0-9A-Za-z]{13,40}|gh[pousr]_[0-9A-Za-z]{36,}"
    r"|sk-[0-9A-Za-z_-]{20,}|xox[baprs]-[0-9A-Za-z-]{10,}"
    r"|eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{6,})(?![0-9A-Za-z_])"
)
# 4111111111111111|12/28|123, as cards are written down by those who should not.
_CARD_TAIL = re.compile(
    r"[ \t|,;:/]{1,3}((?:0[1-9]|1[0-2])[/-](?:20)?[2-4][0-9])(?![0-9])"
    r"(?:[ \t|,;:/]{1,3}([0-9]{3,4})(?![0-9A-Za-z./:-]))?"
)
_SHORTEST_PAN = 13
_TRACK_SIGN = re.compile(r"[=D][0-9]")
_FEWEST_IPV6_DIGITS = 6  # shorter is a time or a scope operator
VERSION_WORDS = ("ver", "version", "版本", "版本号", "release", "rev", "build")
_VERSION_BEFORE = re.compile(
    rf"(?:(?<![0-9A-Za-z_\u3400-\U0010ffff])v|{'|'.join(VERSION_WORDS)})[ \t:=._-]{{0,2}}\Z", re.IGNORECASE | re.ASCII
)


def recognise_chinese_identifiers(text: str, tables: RecognitionTables) -> Iterator[Candidate]:
    """Yield candidates for identifiers that hold a Chinese character: plates of cars, cards of officers."""
    yield from _plates(text, tables)
    if "字" in text:
        yield from _simple(text, _MILITARY, Element.OTHER_CERTIFICATE, "officer card", 3)


def recognise_identifiers(text: str) -> Iterator[Candidate]:
    """Yield candidates for identifiers that hold Latin letters or signs and are no mail or IPv4 address."""
    yield from _bracketed(text)
    if _COORDINATES_GATE.search(text):
        yield from _simple(text, _COORDINATES, Element.LOCATION, "pair of degrees inside China", 4)
    yield from _octets(text)
    if "wxid_" in text:
        yield from _simple(text, _WXID, Element.WECHAT, "wxid", 5)


def recognise_mail_and_network(text: str) -> Iterator[Candidate]:
    """Yield candidates for mail addresses and IPv4 addresses."""
    if "@" in text:
        yield from _emails(text)
    yield from _ipv4(text)


def recognise_beside_card(text: str, end: int) -> Iterator[Candidate]:
    """Yield the expiry date and the check value that stand directly behind a card number that ends at `end`."""
    match = _CARD_TAIL.match(text, end)
    if match is None:
        return
    near = Evidence(EvidenceKind.CONTEXT_LEFT, "directly behind a card number", 2)
    for group, element, rule in ((1, Element.CARD_EXPIRY, "month and year"), (2, Element.CVN2, "three or four digits")):
        if match[group]:
            yield Candidate(element, *match.span(group), (Evidence(EvidenceKind.FORMAT, rule, 1), near))


def recognise_credentials(text: str) -> Iterator[Candidate]:
    """Yield candidates for track 1 of cards and for keys that are known by their shape."""
    if "^" in text:
        yield from (_track(match, match.start()) for match in _TRACK1.finditer(text) if luhn_holds(match[1]))
    if "-----BEGIN" in text:
        yield from _simple(text, _PEM, Element.SECRET_KEY, "PEM private key", 7)
    shape = (Evidence(EvidenceKind.FORMAT, "key of a known issuer", 6),)
    for opening in _KEY_OPENINGS:
        place = text.find(opening)
        while place >= 0:
            key = _KEY_SHAPES.match(text, place)
            if key:
                yield Candidate(Element.SECRET_KEY, key.start(), key.end(), shape)
            place = text.find(opening, place + len(opening))


def recognise_at_run(text: str, start: int, end: int, tables: RecognitionTables) -> Iterator[Candidate]:
    """Yield what begins, with up to three letters, at a run of digits: tracks, company codes, permits."""
    if end - start >= _SHORTEST_PAN and _TRACK_SIGN.match(text, end):
        yield from _tracks(text, start)
        return
    letters = start
    while letters > start - 4 and letters and text[letters - 1].isascii() and text[letters - 1].isalpha():
        letters -= 1
    if letters and text[letters - 1].isascii() and text[letters - 1].isalnum():
        return
    code = _USCC.match(text, letters)
    if code and not code[0].isdecimal():
        pieces = company_code_evidence(code[0].upper(), tables)
        if pieces:
            yield _judged(Element.USCC, text, code.start(), code.end(), pieces)
        return
    permit = _PERMIT.match(text, letters) if letters < start else None
    if permit and (permit.lastgroup != "tw" or taiwan_id_holds(permit[0])):
        element = Element.PASSPORT if permit.lastgroup == "passport" else Element.OTHER_CERTIFICATE
        shape = Evidence(EvidenceKind.FORMAT, f"layout:{permit.lastgroup}", 1)
        yield _judged(element, text, permit.start(), permit.end(), (shape,))


def _judged(element: Element, text: str, start: int, end: int, pieces: tuple[Evidence, ...]) -> Candidate:
    return Candidate(element, start, end, pieces + judge(element, text, start, end))


def _tracks(text: str, start: int) -> Iterator[Candidate]:
    begin = start - 1 if text[start - 1 : start] == ";" else start
    second = _TRACK2.match(text, start)
    if second and track2_holds(second[1], second[2]):
        yield _track(second, begin)
        return
    third = _TRACK3.match(text, start)
    if third and luhn_holds(third[1]):
        yield _track(third, begin)


def _track(match: re.Match[str], begin: int) -> Candidate:
    pieces = (Evidence(EvidenceKind.FORMAT, "track layout", 4), Evidence(EvidenceKind.CHECKSUM, "Luhn", 3))
    return Candidate(Element.TRACK_DATA, begin, match.end(), pieces)


def _simple(text: str, pattern: re.Pattern[str], element: Element, rule: str, points: int) -> Iterator[Candidate]:
    for match in pattern.finditer(text):
        yield Candidate(element, match.start(), match.end(), (Evidence(EvidenceKind.FORMAT, rule, points),))


def _emails(text: str) -> Iterator[Candidate]:
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        start = at
        floor = max(0, at - _LONGEST_MAILBOX)
        while start > floor and text[start - 1] in _MAILBOX:
            start -= 1
        while start < at and text[start] in "._%+-":
            start += 1
        if domain and start < at and text[at - 1] != "." and not _is_no_mailbox(text, start, domain.end()):
            yield _email(text, start, domain.end())
        at = text.find("@", at + 1)


def _is_no_mailbox(text: str, start: int, end: int) -> bool:
    """Tell a picture in two sizes, a clone address such as git@host:path and a URL with a password from mail."""
    behind = text[end : end + 2]
    if text[start:end].rpartition(".")[2].lower() in FILE_ENDINGS:
        return True
    if behind[:1] == ":" and behind[1:].isascii() and behind[1:].isalpha():
        return True
    before = text[max(0, start - 24) : start]
    return "://" in before and _URL_GOES_ON.search(before.rpartition("://")[2]) is None


def _email(text: str, start: int, end: int) -> Candidate:
    shape = Evidence(EvidenceKind.FORMAT, "mailbox and domain", 5)
    if label_before(text, start).element is Element.EMAIL:
        return Candidate(Element.EMAIL, start, end, (shape, Evidence(EvidenceKind.LABEL, "label:email", 3)))
    return Candidate(Element.EMAIL, start, end, (shape,))


def _plates(text: str, tables: RecognitionTables) -> Iterator[Candidate]:
    proof = (Evidence(EvidenceKind.FORMAT, "plate layout", 2), Evidence(EvidenceKind.TABLE, "province character", 2))
    for match in _plate_pattern(tables.plate_provinces).finditer(text):
        yield _judged(Element.PLATE, text, match.start(), match.end(), proof)


@lru_cache(maxsize=8)
def _plate_pattern(provinces: str) -> re.Pattern[str]:
    return re.compile(f"[{provinces}]{_PLATE_BODY}")


def _bracketed(text: str) -> Iterator[Candidate]:
    """Yield Hong Kong and Macau identity cards, whose last digit stands in brackets."""
    for match in _BRACKETED.finditer(text):
        before = _BEFORE_BRACKET.search(text, max(0, match.start() - 9), match.start())
        if before is None:
            continue
        if before[1] is None:
            shape = Evidence(EvidenceKind.FORMAT, "layout:macau", 1)
        elif hong_kong_id_holds(before[1], before[2], match[0][1]):
            shape = Evidence(EvidenceKind.CHECKSUM, "weighted mod 11", 4)
        else:
            continue
        yield _judged(Element.OTHER_CERTIFICATE, text, before.start(), match.end(), (shape,))


def _ipv4(text: str) -> Iterator[Candidate]:
    for match in _IPV4_MIDDLE.finditer(text):
        first = _IPV4_FIRST.search(text, max(0, match.start() - 4), match.start())
        if first is None or (first.start() and text[first.start() - 1] in _MAILBOX - {"-", "_", "%", "+"}):
            continue
        start, end = first.start(), match.end()
        if first[0] in {"0", "127", "255"} or _VERSION_BEFORE.search(text, max(0, start - 12), start):
            continue
        label = label_before(text, start)
        pieces = [Evidence(EvidenceKind.FORMAT, "four octets", 3)]
        if label.element is Element.IP:
            pieces.append(Evidence(EvidenceKind.LABEL, "label:ip", 3))
        elif label.negative:
            pieces.append(Evidence(EvidenceKind.NEGATIVE_CONTEXT, "label names another number", -1))
        yield Candidate(Element.IP, start, end, tuple(pieces))


def _octets(text: str) -> Iterator[Candidate]:
    """Yield device addresses of six octets and IPv6 addresses."""
    reached = 0
    for gate in (*_COLONS.finditer(text), *_HYPHENS.finditer(text)):
        if gate.start() < reached:
            continue
        floor = max(0, gate.start() - 40)
        mac = _MAC.search(text, max(0, gate.start() - 8), gate.end() + 20)
        if mac is not None:
            reached = mac.end()
            yield Candidate(Element.MAC, mac.start(), mac.end(), (Evidence(EvidenceKind.FORMAT, "six octets", 4),))
            continue
        run = _COLON_RUN.search(text, floor, gate.end() + 40)
        if run is not None and run.end() > gate.start() and _is_ipv6(run[0]):
            reached = run.end()
            yield Candidate(Element.IP, run.start(), run.end(), (Evidence(EvidenceKind.FORMAT, "IPv6 address", 4),))


def _is_ipv6(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    digits = sum(letter.isalnum() for letter in text)
    return not (address.is_unspecified or address.is_loopback) and digits >= _FEWEST_IPV6_DIGITS
