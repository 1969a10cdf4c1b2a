"""Identifiers with letters: mail, company codes, plates, permits, network and device addresses, card tracks, keys."""

import ipaddress
import re
from collections.abc import Iterator

from kuimen.kernels.detection.context import judge, label_before
from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.detection.numbers import company_code_evidence
from kuimen.kernels.elements.checks import hong_kong_id_holds, luhn_holds, taiwan_id_holds, track2_holds
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.kernels.elements.words import words

_EMAIL = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_+-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,4}"
    r"[A-Za-z]{2,24}(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
)
_FILE_ENDINGS = words(
    """
    png jpg jpeg gif svg webp bmp ico css js ts jsx tsx py java class jar sh so dll exe zip gz tar log txt md html htm
    json xml yml yaml sql
    """,
)
_USCC = re.compile(r"(?<![0-9A-Za-z])[1-9ANY][1-9][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])")
_PLATE_BODY = (
    r"[A-HJ-NP-Z][·. ]?(?:[DABCEFGHJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[DABCEFGHJK]"
    r"|(?=[A-Z0-9]{0,4}[0-9])[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])(?![0-9A-Za-z])"
)
_PERMIT = re.compile(
    r"(?<![0-9A-Za-z])(?:(?P<passport>[EG][0-9]{8}|E[A-HJ-NP-Z][0-9]{7}|[DSP]E?[0-9]{7,8}|MA[0-9]{7})"
    r"|(?P<permit>[HM][0-9]{8}(?:[0-9]{2})?|C[A-HJ-NP-Z0-9][0-9]{7}|[WLT][0-9]{8}|[A-Z]{3}[0-9]{12})"
    r"|(?P<hk>[A-Z]{1,2}[0-9]{6}\([0-9A]\))|(?P<tw>[A-Z][1289][0-9]{8})|(?P<macau>[1578][0-9]{6}\([0-9]\)))(?![0-9A-Za-z])"
)
_MILITARY = re.compile(r"[军武海空火政后装北沈兰济南广成]字第?[0-9]{6,8}号?")
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_IPV4 = re.compile(rf"(?<![0-9A-Za-z.])(?:{_OCTET}\.){{3}}{_OCTET}(?![0-9A-Za-z]|\.[0-9])")
_IPV6 = re.compile(
    r"(?<![0-9A-Za-z:.])(?=[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:)"
    r"[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])"
)
_MAC = re.compile(r"(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})(?![0-9A-Za-z:-])")
_WXID = re.compile(r"(?<![0-9A-Za-z_])wxid_[0-9A-Za-z_]{6,30}")
_EAST = r"(?:7[3-9]|[89][0-9]|1[0-2][0-9]|13[0-5])\.[0-9]{4,15}"
_NORTH = r"(?:[3-9]|[1-4][0-9]|5[0-4])\.[0-9]{4,15}"
_COORDINATES = re.compile(rf"(?<![0-9.])(?:{_EAST} ?, ?{_NORTH}|{_NORTH} ?, ?{_EAST})(?![0-9.])")
_TRACK2 = re.compile(r"(?<![0-9A-Za-z]);?([0-9]{13,19})[=D]([0-9]{4})[0-9]{3,20}[0-9F]{0,2}\??(?![0-9A-Za-z=])")
_TRACK1 = re.compile(r"%?(?:99|B)([0-9]{13,19})\^[^^\n]{2,26}\^([0-9]{4})[0-9]{3}[^?\n]{0,40}\?")
_TRACK3 = re.compile(r"(?<![0-9A-Za-z]);?(?:99|01)([0-9]{13,19})=[0-9=]{20,90}\??")
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----[A-Za-z0-9+/=\s]*(?:-----END (?:[A-Z0-9]+ )*PRIVATE KEY-----)?"
)
_KEY_SHAPES = re.compile(
    r"(?<![0-9A-Za-z_-])(?:AKIA[0-9A-Z]{16}|LTAI[0-9A-Za-z]{12,24}|AKID[0-9A-Za-z]{13,40}|gh[pousr]_[0-9A-Za-z]{36,}"
    r"|sk-[0-9A-Za-z_-]{20,}|xox[baprs]-[0-9A-Za-z-]{10,}"
    r"|eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{6,})(?![0-9A-Za-z_])"
)
_FEWEST_IPV6_DIGITS = 6  # shorter is a time or a scope operator
_VERSION_BEFORE = re.compile(r"(?:\bv|ver|version|版本|版本号|release|rev|build)[\s:=._-]{0,2}$", re.IGNORECASE)


def recognise_identifiers(text: str, tables: RecognitionTables) -> Iterator[Candidate]:
    """Yield candidates for identifiers that hold letters or signs; each pattern runs only where its sign occurs."""
    if "@" in text:
        yield from _emails(text)
    yield from _company_codes(text, tables)
    if not text.isascii():
        yield from _plates(text, tables)
        if "字" in text:
            yield from _simple(text, _MILITARY, Element.OTHER_CERTIFICATE, "officer card", 3)
    yield from _permits(text)
    if "." in text:
        yield from _ipv4(text)
        if "," in text:
            yield from _simple(text, _COORDINATES, Element.LOCATION, "pair of degrees inside China", 4)
    if ":" in text or "-" in text:
        yield from _simple(text, _MAC, Element.MAC, "six octets", 4)
    if "::" in text or text.count(":") > 6:  # noqa: PLR2004 - a full address has seven colons
        yield from _ipv6(text)
    if "wxid_" in text:
        yield from _simple(text, _WXID, Element.WECHAT, "wxid", 5)


def recognise_credentials(text: str) -> Iterator[Candidate]:
    """Yield candidates for card tracks and for keys that are known by their shape."""
    yield from _tracks(text)
    if "-----BEGIN" in text:
        yield from _simple(text, _PEM, Element.SECRET_KEY, "PEM private key", 7)
    for match in _KEY_SHAPES.finditer(text):
        yield Candidate(
            Element.SECRET_KEY, match.start(), match.end(), (Evidence(EvidenceKind.FORMAT, "key of a known issuer", 6),)
        )


def _tracks(text: str) -> Iterator[Candidate]:
    if "=" in text or "D" in text:
        yield from (_track(match) for match in _TRACK2.finditer(text) if track2_holds(match[1], match[2]))
        yield from (_track(match) for match in _TRACK3.finditer(text) if luhn_holds(match[1]))
    if "^" in text:
        yield from (_track(match) for match in _TRACK1.finditer(text) if luhn_holds(match[1]))


def _track(match: re.Match[str]) -> Candidate:
    pieces = (Evidence(EvidenceKind.FORMAT, "track layout", 4), Evidence(EvidenceKind.CHECKSUM, "Luhn", 3))
    return Candidate(Element.TRACK_DATA, match.start(), match.end(), pieces)


def _simple(text: str, pattern: re.Pattern[str], element: Element, rule: str, points: int) -> Iterator[Candidate]:
    for match in pattern.finditer(text):
        yield Candidate(element, match.start(), match.end(), (Evidence(EvidenceKind.FORMAT, rule, points),))


def _emails(text: str) -> Iterator[Candidate]:
    for match in _EMAIL.finditer(text):
        ending = match[0].rpartition(".")[2].lower()
        behind = text[match.end() : match.end() + 2]
        if ending in _FILE_ENDINGS or (behind[:1] == ":" and behind[1:].isascii() and behind[1:].isalpha()):
            continue  # a picture in two sizes, or a clone address such as git@host:path
        before = text[max(0, match.start() - 24) : match.start()]
        if "://" in before and " " not in before.rpartition("://")[2]:
            continue
        label = label_before(text, match.start())
        pieces = [Evidence(EvidenceKind.FORMAT, "mailbox and domain", 5)]
        if label.element is Element.EMAIL:
            pieces.append(Evidence(EvidenceKind.LABEL, "label:email", 3))
        yield Candidate(Element.EMAIL, match.start(), match.end(), tuple(pieces))


def _company_codes(text: str, tables: RecognitionTables) -> Iterator[Candidate]:
    for match in _USCC.finditer(text):
        if match[0].isdecimal():
            continue
        pieces = company_code_evidence(match[0], tables)
        if pieces:
            yield Candidate(
                Element.USCC, match.start(), match.end(), pieces + judge(Element.USCC, text, match.start(), match.end())
            )


def _plates(text: str, tables: RecognitionTables) -> Iterator[Candidate]:
    for match in _plate_pattern(tables.plate_provinces).finditer(text):
        yield Candidate(
            Element.PLATE,
            match.start(),
            match.end(),
            (
                Evidence(EvidenceKind.FORMAT, "plate layout", 2),
                Evidence(EvidenceKind.TABLE, "province character", 2),
                *judge(Element.PLATE, text, match.start(), match.end()),
            ),
        )


def _plate_pattern(provinces: str) -> re.Pattern[str]:
    return re.compile(f"[{provinces}]{_PLATE_BODY}")


def _permits(text: str) -> Iterator[Candidate]:
    for match in _PERMIT.finditer(text):
        start, end = match.span()
        kind = match.lastgroup
        element = Element.PASSPORT if kind == "passport" else Element.OTHER_CERTIFICATE
        if kind == "hk" and not hong_kong_id_holds(*_hong_kong_parts(match[0])):
            continue
        if kind == "tw" and not taiwan_id_holds(match[0]):
            continue
        points = 3 if kind == "hk" else 1
        pieces = (Evidence(EvidenceKind.FORMAT, f"layout:{kind}", points), *judge(element, text, start, end))
        yield Candidate(element, start, end, pieces)


def _hong_kong_parts(number: str) -> tuple[str, str, str]:
    return number[:-9], number[-9:-3], number[-2]


def _ipv4(text: str) -> Iterator[Candidate]:
    for match in _IPV4.finditer(text):
        start, end = match.span()
        if match[0].startswith(("0.", "127.", "255.")) or _VERSION_BEFORE.search(text, max(0, start - 12), start):
            continue
        label = label_before(text, start)
        pieces = [Evidence(EvidenceKind.FORMAT, "four octets", 3)]
        if label.element is Element.IP:
            pieces.append(Evidence(EvidenceKind.LABEL, "label:ip", 3))
        elif label.negative:
            pieces.append(Evidence(EvidenceKind.NEGATIVE_CONTEXT, "label names another number", -1))
        yield Candidate(Element.IP, start, end, tuple(pieces))


def _ipv6(text: str) -> Iterator[Candidate]:
    for match in _IPV6.finditer(text):
        try:
            address = ipaddress.IPv6Address(match[0])
        except ValueError:
            continue
        digits = sum(letter.isalnum() for letter in match[0])
        if address.is_unspecified or address.is_loopback or digits < _FEWEST_IPV6_DIGITS:
            continue
        yield Candidate(Element.IP, match.start(), match.end(), (Evidence(EvidenceKind.FORMAT, "IPv6 address", 4),))
