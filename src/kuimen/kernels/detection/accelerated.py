"""The structured recognisers in C, where the extension was built: the same candidates, hundreds of times faster.

The extension scans folded UTF-8 in one pass and applies every check and table. What is rare it hands back as an event,
and `recognise_event` looks at that place with the patterns of `numbers` and `identifiers`. How a label reads is asked
here once and remembered there. `numbers` and `identifiers` alone are the path without the extension.
"""

import struct
from array import array
from collections.abc import Iterator
from functools import lru_cache

from kuimen.kernels.detection import context, identifiers, numbers
from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.detection.naming import MEDIUM
from kuimen.kernels.elements.bins import NETWORK_RANGES
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.kernels.native import NATIVE

ACCELERATES = hasattr(NATIVE, "folder_fold")
ELEMENTS = tuple(Element)
ELEMENT_NUMBER = {element: number for number, element in enumerate(ELEMENTS)}
# The kinds of scanner.c, in its order.
_KINDS = (
    Element.RESIDENT_ID, Element.OTHER_CERTIFICATE, Element.MOBILE, Element.LANDLINE, Element.BANK_CARD, Element.USCC,
    Element.IMEI, Element.EMAIL, Element.IP,
)  # fmt: skip
ACCELERATED = frozenset(_KINDS)
_ROOM = 64  # elements that the tables of scanner.c have room for
_EVENT_RUN, _EVENT_GROUPED, _EVENT_OVERSEAS = 200, 201, 202
FIRST_EVENT = _EVENT_RUN
ROW = struct.Struct("<qq6HBbBB")
_MEDIUM, _NEGATIVE = 0x100, 0x200
_EMAIL, _IP = ELEMENT_NUMBER[Element.EMAIL], ELEMENT_NUMBER[Element.IP]

_F, _C, _T, _N = EvidenceKind.FORMAT, EvidenceKind.CHECKSUM, EvidenceKind.TABLE, EvidenceKind.NEGATIVE_CONTEXT
# The pieces of scanner.c, in its order.
_STATIC = (
    Evidence(_F, "", 0),
    Evidence(_F, "eighteen characters with a real date", 1),
    Evidence(_C, "MOD 11-2", 3),
    Evidence(_T, "residence permit", 2),
    Evidence(_T, "area:province", 1),
    Evidence(_T, "area:prefecture", 2),
    Evidence(_T, "area:county", 3),
    Evidence(_T, "permanent residence card", 1),
    Evidence(_F, "eleven digits", 1),
    Evidence(_T, "number segment", 2),
    Evidence(_F, "eleven digits of a segment not opened", 2),
    Evidence(_C, "Luhn", 2),
    Evidence(_T, "issuer number:network", 0),
    Evidence(_T, "issuer number:unionpay", 2),
    Evidence(_T, "issuer number:issuer", 3),
    Evidence(_F, "digits only", 1),
    Evidence(_T, "area code", 1),
    Evidence(_F, "eighteen characters of the alphabet", 0),
    Evidence(_F, "eighteen characters of the alphabet", 1),
    Evidence(_C, "MOD 31", 1),
    Evidence(_C, "MOD 31", 4),
    Evidence(_T, "registration area", 0),
    Evidence(_T, "registration area", 2),
    Evidence(_C, "organisation code inside", 2),
    Evidence(_F, "fifteen digits with a real date", 1),
    Evidence(_T, "area:prefecture", 1),
    Evidence(_T, "area:county", 1),
    Evidence(_C, "Luhn", 1),
    Evidence(_F, "mailbox and domain", 5),
    Evidence(_F, "four octets", 3),
    Evidence(_N, "label names another number", -4),
    Evidence(_N, "label names another number", -1),
    Evidence(_N, "amount or count", -4),
    BESIDE_A_PERSON := Evidence(EvidenceKind.SIBLINGS, "data of a person in the record", 1),
    ALONE := Evidence(_F, "nothing else in the line", 1),
)


def _pieces() -> tuple[Evidence, ...]:
    pieces = [*_STATIC, *[_STATIC[0]] * (_ROOM - len(_STATIC))]
    for kind, rule, points in (
        (EvidenceKind.LABEL, "label", 3),
        (EvidenceKind.LABEL, "label", 2),
        (EvidenceKind.NEGATIVE_CONTEXT, "label", -2),
        (EvidenceKind.CONTEXT_LEFT, "keyword", 2),
        (EvidenceKind.CONTEXT_RIGHT, "keyword", 1),
    ):
        named = [Evidence(kind, f"{rule}:{element}", points) for element in ELEMENTS]
        pieces += [*named, *[_STATIC[0]] * (_ROOM - len(named))]
    return tuple(pieces)


PIECES = _pieces()


def label_code(raw: bytes) -> int:
    """Return what a label says as the number that scanner.c remembers."""
    label = context.for_numbers(context.read_raw_label(raw.decode("utf-8", errors="surrogatepass")))
    code = 0 if label.element is None else ELEMENT_NUMBER[label.element] + 1
    if label.strength >= MEDIUM:
        code |= _MEDIUM
    return code | _NEGATIVE if label.negative else code


def _bits(count: int, numbers_set: Iterator[int]) -> bytes:
    table = bytearray(count)
    for number in numbers_set:
        table[number] = 1
    return bytes(table)


def _divisions(tables: RecognitionTables) -> bytes:
    table = bytearray(1_000_000)
    for province in tables.provinces:
        table[int(province) * 10_000 : (int(province) + 1) * 10_000] = b"\x01" * 10_000
    for prefecture in tables.prefectures:
        table[int(prefecture) * 100 : (int(prefecture) + 1) * 100] = b"\x02" * 100
    for county in tables.counties:
        table[int(county)] = 3
    return bytes(table)


def _words(*terms: str) -> list[bytes]:
    return [term.encode() for term in terms]


def _family() -> bytes:
    table = bytearray(_ROOM * _ROOM)
    for one in ELEMENTS:
        for other in ELEMENTS:
            table[ELEMENT_NUMBER[one] * _ROOM + ELEMENT_NUMBER[other]] = context.same_family(one, other)
    return bytes(table)


def _mask(lengths: frozenset[int] | tuple[int, ...]) -> int:
    return sum(1 << length for length in lengths)


def _tables(tables: RecognitionTables) -> dict[str, object]:
    bins = [
        number
        for prefix, lengths in tables.bins.items()
        for number in (len(prefix) << 27 | int(prefix), _mask(lengths))
    ]
    networks = [
        number
        for _, first, last, lengths in NETWORK_RANGES
        for number in (len(str(first)), first, last, _mask(lengths), int(first == 62))  # noqa: PLR2004 - UnionPay
    ]
    return {
        "divisions": _divisions(tables),
        "segments": _bits(1_000, map(int, tables.mobile_segments)),
        "provinces": _bits(100, map(int, tables.provinces)),
        "areas3": _bits(1_000, (int(code) for code in tables.area_codes if len(code) == 3)),  # noqa: PLR2004 - 010, 02x
        "areas4": _bits(10_000, (int(code) for code in tables.area_codes if len(code) == 4)),  # noqa: PLR2004
        "family": _family(),
        "element_of": bytes(ELEMENT_NUMBER[element] for element in _KINDS),
        "points": array("b", (piece.points for piece in _STATIC)).tobytes(),
        "reserved": array("I", map(int, sorted(tables.reserved_segments))).tobytes(),
        "reserved_bins": array("I", map(int, sorted(tables.reserved_bins))).tobytes(),
        "bins": array("I", bins).tobytes(),
        "networks": array("I", networks).tobytes(),
        "keywords": [_words(*context.KEYWORDS.get(element, ())) for element in _KINDS],
        "currency": _words(*context.CURRENCY_SIGNS),
        "free_units": _words(*context.FREE_UNITS),
        "bounded_units": _words(*context.BOUNDED_UNITS),
        "latin_units": _words(*context.LATIN_UNITS),
        "versions": _words(*identifiers.VERSION_WORDS),
        "endings": _words(*sorted(identifiers.FILE_ENDINGS)),
    }


@lru_cache(maxsize=4096)
def evidence_of(pieces: tuple[int, ...]) -> tuple[Evidence, ...]:
    """Return the evidence behind the numbers of a row."""
    return tuple(PIECES[piece] for piece in pieces)


def recognise_structured(text: str, tables: RecognitionTables, *, least: int) -> Iterator[Candidate]:
    """Yield what `recognise_numbers` and the structured part of `recognise_identifiers` find in folded text.

    Args:
        text: folded text.
        tables: which numbers can exist.
        least: candidates with fewer points may be left out.
    """
    assert NATIVE is not None
    rows = NATIVE.scanner_scan(
        scanner_of(tables), text.encode("utf-8", errors="surrogatepass"), least, not text.isascii()
    )
    grouped = numbers.Grouped(text, tables)
    for start, end, *pieces, element, _points, used, _kind in ROW.iter_unpack(rows):
        if element < FIRST_EVENT:
            yield Candidate(ELEMENTS[element], start, end, evidence_of(tuple(pieces[:used])))
        elif element == _EVENT_GROUPED:
            yield from grouped.at(start, end)
        else:
            yield from recognise_event(element, text, start, end, tables)


def recognise_event(event: int, text: str, start: int, end: int, tables: RecognitionTables) -> Iterator[Candidate]:
    """Look at the place of an event."""
    if event == _EVENT_RUN:
        yield from identifiers.recognise_at_run(text, start, end, tables)
    elif event == _EVENT_OVERSEAS:
        yield from numbers.overseas_at(text, start)


_SCANNERS: dict[int, tuple[RecognitionTables, object]] = {}


def scanner_of(tables: RecognitionTables) -> object:
    """Return the extension's form of the tables, made once."""
    known = _SCANNERS.get(id(tables))
    if known is None:
        assert NATIVE is not None
        known = tables, NATIVE.scanner_new(_tables(tables), label_code)
        _SCANNERS[id(tables)] = known
    return known[1]
