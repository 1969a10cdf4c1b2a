"""Find personal data among the lines of a picture: labels beside and above values, cards known by their layout.

A page of lines is laid out as text that the text kernel understands — a label gets its colon, an address its further
lines — and every character remembers where it stands. Numbers that OCR confused with letters are read again and judged
by their check digits.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kuimen.kernels.detection import Evidence, EvidenceKind, Likelihood, detect
from kuimen.kernels.detection.proofs import card_evidence, identity_evidence
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.kernels.elements.words import words
from kuimen.sources.images.lines import Quad, TextLine, rows_of

# What stands on certificates and cards, and the label under which the text kernel knows it.
_LABELS: Mapping[str, tuple[str, Element | None]] = {
    "姓名": ("姓名", Element.PERSON_NAME),
    "性别": ("性别", Element.SEX),
    "民族": ("民族", Element.ETHNICITY),
    "出生日期": ("出生日期", Element.BIRTH_DATE),
    "出生": ("出生日期", Element.BIRTH_DATE),
    "住址": ("住址", Element.ADDRESS),
    "公民身份号码": ("身份证号码", Element.RESIDENT_ID),
    "公民身份证号码": ("身份证号码", Element.RESIDENT_ID),
    "VALIDTHRU": ("卡有效期", Element.CARD_EXPIRY),
    "GOODTHRU": ("卡有效期", Element.CARD_EXPIRY),
    "EXPIRES": ("卡有效期", Element.CARD_EXPIRY),
    "VALID": ("卡有效期", Element.CARD_EXPIRY),
    "THRU": ("卡有效期", Element.CARD_EXPIRY),
    "CARDHOLDER": ("持卡人姓名", Element.PERSON_NAME),
}
_IDENTITY_LABELS = frozenset({"姓名", "性别", "民族", "出生", "住址", "公民身份号码"})
_LEAST_LABELS = 3
_LABEL_START = re.compile("|".join(sorted(map(re.escape, _LABELS), key=len, reverse=True)))
_OTHER_LABEL = re.compile(r"[\u3400-\u9fffA-Za-z ]{2,10}[:：]?$")
_COLONS = ":：="
_CONFUSED = str.maketrans("OoDQIl|!ZzSsBbGqx", "00001111225588" + "69X")
_NUMBER = re.compile(r"(?<![0-9])(?:[0-9]{17}[0-9X]|[0-9]{13,19})(?![0-9])")
_LONG_DIGITS = re.compile(r"[0-9X]{15,19}")
_DATE = re.compile(r"(?<![0-9])(?:0[1-9]|1[0-2]) ?/ ?[2-5][0-9](?![0-9])")
_HAN_NAME = re.compile(r"[\u3400-\u9fff·]{2,8}")
_LATIN_NAME = re.compile(r"[A-Z]{2,12}(?: [A-Z]{2,12}){1,3}(?:[/ ](?:MR|MS|MRS))?\.?")
_CARD_WORDS = words(
    """
    BANK CARD VALID THRU DEBIT CREDIT UNIONPAY MONTH YEAR GOLD PLATINUM GOOD MEMBER SINCE EXPIRES CHINA OF FROM PAY
    UNION QUICK PASS DIAMOND CLASSIC STANDARD BUSINESS AUTHORIZED SIGNATURE
    """
)
_MOST_CARD_LINES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFinding:
    """One datum in a picture.

    Attributes:
        element: what it is.
        likelihood: function of `evidence`.
        quads: the places to cover, in pixels of the upright picture; several where it runs over lines.
        lines: the numbers of the lines it stands in.
        evidence: rules and counts, never a value.
    """

    element: Element
    likelihood: Likelihood
    quads: tuple[Quad, ...]
    lines: tuple[int, ...]
    evidence: tuple[Evidence, ...]


@dataclass(slots=True)
class _Page:
    """Lines laid out as one text; every character knows its line and place, -1 where the layout added it."""

    text: str = ""
    origins: list[tuple[int, int]] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.text += text
        self.origins += [(-1, -1)] * len(text)

    def add_line(self, number: int, line: TextLine, start: int = 0) -> None:
        self.text += line.text[start:]
        self.origins += [(number, place) for place in range(start, len(line.text))]


def find_in_picture(lines: Sequence[TextLine], *, tables: RecognitionTables) -> list[PictureFinding]:
    """Return what the lines hold, surest first where two share a place."""
    numbered = {id(line): number for number, line in enumerate(lines)}
    rows = [[(numbered[id(line)], line) for line in row] for row in rows_of(lines)]
    page = _laid_out(rows)
    found: list[PictureFinding] = []
    taken: set[tuple[int, int]] = set()
    for one in detect(page.text, min_likelihood=Likelihood.POSSIBLE, tables=tables):
        places = [origin for origin in page.origins[one.start : one.end] if origin[0] >= 0]
        if places:
            taken.update(places)
            found.append(_finding(one.element, one.likelihood, one.evidence, places, lines))
    for reread in (_confused_numbers(lines, tables), _identity_card(rows, lines), _bank_card(found, lines, tables)):
        for element, likelihood, evidence, places in reread:
            if any(place not in taken for place in places):
                taken.update(places)
                found.append(_finding(element, likelihood, evidence, places, lines))
    return found


_Raw = tuple[Element, Likelihood, tuple[Evidence, ...], list[tuple[int, int]]]


def _finding(
    element: Element,
    likelihood: Likelihood,
    evidence: tuple[Evidence, ...],
    places: Sequence[tuple[int, int]],
    lines: Sequence[TextLine],
) -> PictureFinding:
    spans: dict[int, list[int]] = {}
    for number, place in places:
        spans.setdefault(number, []).append(place)
    return PictureFinding(
        element=element,
        likelihood=likelihood,
        evidence=evidence,
        lines=tuple(spans),
        quads=tuple(lines[number].part(min(inside), max(inside) + 1, margin=0.2) for number, inside in spans.items()),
    )


def label_of(text: str) -> tuple[str, int] | None:
    """Return the label that a line opens with and how many characters it takes, colon included."""
    squeezed = [(place, letter) for place, letter in enumerate(text) if letter != " "]
    match = _LABEL_START.match("".join(letter for _, letter in squeezed).upper())
    if match is None:
        return None
    end = squeezed[match.end() - 1][0] + 1
    while end < len(text) and text[end] in " :：=":
        end += 1
    return match[0], end


def _laid_out(rows: list[list[tuple[int, TextLine]]]) -> _Page:
    page = _Page()
    continued: tuple[float, float, float] | None = None  # left edge, middle and height of the address so far
    for row in rows:
        first = row[0][1]
        if continued is not None and len(row) == 1 and label_of(first.text) is None:
            left, middle, height = continued
            if abs(first.left - left) < 1.5 * height and 0 < first.middle - middle < 2.4 * height:
                page.add_line(*row[0])
                continued = (left, first.middle, height)
                continue
        if page.text:
            page.add("\n")
        continued = _lay_out_row(page, row)
    return page


def _lay_out_row(page: _Page, row: list[tuple[int, TextLine]]) -> tuple[float, float, float] | None:
    """Add a row; return where its address stands, so that the next rows may go on with it."""
    address: tuple[float, float, float] | None = None
    in_address = False
    for place, (number, line) in enumerate(row):
        label = label_of(line.text)
        if label is not None:
            name, end = label
            page.add(("  " if place else "") + _LABELS[name][0] + "：")
            in_address = _LABELS[name][1] is Element.ADDRESS
            if end < len(line.text):
                page.add_line(number, line, end)
                if in_address:
                    address = (float(line.part(end, len(line.text))[:, 0].min()), line.middle, line.height)
            continue
        if in_address:
            address = (line.left, line.middle, line.height)
        elif place and not page.text.endswith("："):
            announced = _OTHER_LABEL.fullmatch(row[place - 1][1].text) and label_of(row[place - 1][1].text) is None
            page.add("" if page.text[-1] in _COLONS else ("：" if announced else "  "))
        page.add_line(number, line)
    return address


def _confused_numbers(lines: Sequence[TextLine], tables: RecognitionTables) -> Iterator[_Raw]:
    """Read lines of mostly digits again with letters taken for the digits they resemble; check digits decide."""
    for number, line in enumerate(lines):
        places = [place for place, letter in enumerate(line.text) if letter not in " -"]
        plain = "".join(line.text[place] for place in places)
        if 2 * sum(letter.isdigit() for letter in plain) < len(plain):
            continue
        digits = plain.translate(_CONFUSED)
        for match in _NUMBER.finditer(digits):
            where = [(number, place) for place in places[match.start() : match.end()]]
            proof = identity_evidence(match[0], tables) if len(match[0]) == 18 else None  # noqa: PLR2004
            if proof is not None:
                yield proof[0], Likelihood.LIKELY, proof[1], where
            elif match[0].isdecimal() and (checked := card_evidence(match[0], tables)):
                yield Element.BANK_CARD, Likelihood.LIKELY, checked, where


def _label_evidence(rule: str) -> tuple[Evidence, ...]:
    return (Evidence(EvidenceKind.LABEL, rule, 5),)


def identity_labels(lines: Sequence[TextLine]) -> set[str]:
    """Return the labels of an identity card among the lines."""
    found = (label_of(line.text) for line in lines)
    return {label[0] for label in found if label is not None} & _IDENTITY_LABELS


def _identity_card(rows: list[list[tuple[int, TextLine]]], lines: Sequence[TextLine]) -> Iterator[_Raw]:
    """Take everything beside the labels of an identity card, whatever it looks like after a bad reading."""
    if len(identity_labels(lines)) < _LEAST_LABELS:
        return
    element = None
    left = height = middle = 0.0
    for row in rows:
        labelled = False
        for number, line in row:
            label = label_of(line.text)
            start = 0
            if label is not None:
                element, start, labelled = _LABELS[label[0]][1], label[1], True
            elif not labelled and (
                element is not Element.ADDRESS or abs(line.left - left) > 1.5 * height or line.middle < middle
            ):
                # no label stands before it: only the number is taken, which some cards print below its label
                element = Element.RESIDENT_ID if _LONG_DIGITS.search(line.text.translate(_CONFUSED)) else None
            if element is None or start >= len(line.text):
                continue
            if element is Element.ADDRESS:
                left = float(line.part(start, len(line.text))[:, 0].min())
                height, middle = line.height, line.middle
            places = [(number, place) for place in range(start, len(line.text))]
            yield element, Likelihood.LIKELY, _label_evidence("label of an identity card"), places


def _bank_card(found: Sequence[PictureFinding], lines: Sequence[TextLine], tables: RecognitionTables) -> Iterator[_Raw]:
    """On a picture that is a bank card, take its holder and its expiry too, which stand there without a label."""
    cards = [number for one in found if one.element is Element.BANK_CARD for number in one.lines]
    if not cards or len(lines) > _MOST_CARD_LINES or any(one.element is Element.RESIDENT_ID for one in found):
        return
    for number, line in enumerate(lines):
        for match in _DATE.finditer(line.text):
            places = [(number, place) for place in range(*match.span())]
            yield Element.CARD_EXPIRY, Likelihood.LIKELY, _label_evidence("month and year on a card"), places
        if number in cards or not _is_holder(line.text.strip(), tables):
            continue
        places = [(number, place) for place in range(len(line.text))]
        yield Element.PERSON_NAME, Likelihood.LIKELY, _label_evidence("name alone on a card"), places


def _is_holder(text: str, tables: RecognitionTables) -> bool:
    if _LATIN_NAME.fullmatch(text):
        return not _CARD_WORDS.intersection(text.split())
    if not _HAN_NAME.fullmatch(text) or any(word in text for word in ("银行", "卡", "联名", "信用")):
        return False
    known = detect(f"持卡人姓名：{text}", elements=[Element.PERSON_NAME], tables=tables)
    return any(one.end - one.start == len(text) for one in known)
