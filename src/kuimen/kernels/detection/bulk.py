"""Structured data of persons in blocks of UTF-8, at the speed of logs: arrays of places instead of objects.

`scan_bytes` looks for numbers with checks and tables, mail and IPv4 addresses; `detect` looks for everything. Both find
these alike. A block is cut at the end of a line, so that no record is torn; see `redaction` for streams.

>>> scan_bytes("手机13812345678".encode()).as_dicts()
[{'element': 'mobile', 'start': 6, 'end': 17, 'category': 'C2', 'likelihood': 'possible'}]
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kuimen.kernels.detection.accelerated import (
    ACCELERATED,
    ACCELERATES,
    ELEMENT_NUMBER,
    ELEMENTS,
    FIRST_EVENT,
    ROW,
    evidence_of,
    recognise_event,
    scanner_of,
)
from kuimen.kernels.detection.evidence import THRESHOLDS, Candidate, Evidence, Likelihood
from kuimen.kernels.detection.folding import fold
from kuimen.kernels.detection.identifiers import recognise_mail_and_network
from kuimen.kernels.detection.numbers import Grouped, recognise_numbers
from kuimen.kernels.detection.text import CHECKED, COMPANIONS, PRECEDENCE, resolve, with_neighbours
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import PRODUCTION, RecognitionTables
from kuimen.kernels.elements.table import rule_of
from kuimen.kernels.native import NATIVE

STRUCTURED = ACCELERATED | {Element.PASSPORT, Element.TRACK_DATA}
FINDINGS = np.dtype([("start", np.int64), ("end", np.int64), ("element", np.uint8), ("points", np.int8)])
_ROWS = np.dtype(
    [
        ("start", np.int64), ("end", np.int64), ("pieces", np.uint16, 6), ("element", np.uint8), ("points", np.int8),
        ("used", np.uint8), ("kind", np.uint8),
    ]
)  # fmt: skip
_BY_PYTHON = 255  # `used` of a row whose evidence is kept beside the array
_CATEGORIES = tuple(str(rule_of(element).category) for element in ELEMENTS)


def _flags(elements: frozenset[Element]) -> bytes:
    return bytes(number < len(ELEMENTS) and ELEMENTS[number] in elements for number in range(256))


_COMPANION_FLAGS, _CHECKED_FLAGS = _flags(COMPANIONS), _flags(CHECKED)
_RANKS = bytes(PRECEDENCE.get(element, len(PRECEDENCE)) for element in ELEMENTS).ljust(256, b"\xff")


@dataclass(frozen=True, slots=True)
class Scan:
    """The findings of one block.

    Attributes:
        places: array of `FINDINGS`, `(n,)`, in order of place, without overlaps; offsets count bytes of the block.
        rows: the same with the numbers of their evidence; see `evidence`.
        found_by_python: those that the patterns found.
    """

    places: npt.NDArray[np.void]
    rows: npt.NDArray[np.void]
    found_by_python: Sequence[Candidate] = ()

    def __len__(self) -> int:
        return len(self.places)

    def element(self, position: int) -> Element:
        """Return what one finding is."""
        return ELEMENTS[int(self.places["element"][position])]

    def evidence(self, position: int) -> tuple[Evidence, ...]:
        """Return why."""
        row = self.rows[position]
        if row["used"] == _BY_PYTHON:
            return self.found_by_python[int(row["pieces"][0])].evidence
        return evidence_of(tuple(map(int, row["pieces"][: row["used"]])))

    def counts(self) -> dict[str, int]:
        """Return how often each element was found."""
        numbers, counts = np.unique(self.places["element"], return_counts=True)
        return {str(ELEMENTS[number]): int(count) for number, count in zip(numbers, counts, strict=True)}

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return the findings in the form of `kuimen detect --jsonl`; offsets count bytes."""
        return [
            {
                "element": str(ELEMENTS[element]),
                "start": start,
                "end": end,
                "category": _CATEGORIES[element],
                "likelihood": str(likelihood_at(points)),
            }
            for start, end, element, points in self.places.tolist()
        ]


def likelihood_at(points: int) -> Likelihood:
    """Return the likelihood that points stand for."""
    return next((likelihood for least, likelihood in THRESHOLDS if points >= least), Likelihood.VERY_UNLIKELY)


def scan_bytes(
    block: bytes | bytearray | memoryview,
    *,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    tables: RecognitionTables = PRODUCTION,
) -> Scan:
    """Find structured personal data in a block of UTF-8.

    Args:
        block: whole lines; what is no UTF-8 in it is passed over.
        min_likelihood: leave out what is less sure.
        tables: which numbers can exist.

    Returns:
        Places in bytes. Cost: with the native kernels some hundred MB a second, without them some MB.
    """
    least = Likelihood(min_likelihood)
    raw = bytes(block)
    if not ACCELERATES:
        return _in_python(raw, least, tables)
    assert NATIVE is not None
    folded, shifts = NATIVE.folder_fold(_folder(), raw)
    scanner = scanner_of(tables)
    rows = NATIVE.scanner_scan(scanner, folded, least.fewest_points, False)  # noqa: FBT003 - offsets of letters
    seen = np.frombuffer(rows, dtype=_ROWS)
    by_python: list[Candidate] = []
    if (seen["element"] >= FIRST_EVENT).any():
        by_python = list(_events(folded, seen[seen["element"] >= FIRST_EVENT], tables))
        rows += b"".join(_as_row(number, one) for number, one in enumerate(by_python))
    rows = NATIVE.scanner_settle(scanner, folded, rows, least.fewest_points, _COMPANION_FLAGS, _CHECKED_FLAGS, _RANKS)
    if shifts is not None:
        rows = NATIVE.folder_unfold(raw, folded, rows, shifts)
    settled = np.frombuffer(rows, dtype=_ROWS)
    return Scan(_places(settled), settled, by_python)


def _places(rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    places = np.empty(len(rows), dtype=FINDINGS)
    for name in ("start", "end", "element", "points"):
        places[name] = rows[name]
    return places


def _as_row(number: int, one: Candidate) -> bytes:
    return ROW.pack(
        one.start, one.end, number & 0xFFFF, 0, 0, 0, 0, 0, ELEMENT_NUMBER[one.element], one.points, _BY_PYTHON, 0
    )


def _events(folded: bytes, events: npt.NDArray[np.void], tables: RecognitionTables) -> Iterator[Candidate]:
    """Look at the rare places with the patterns, line by line."""
    finish, line, grouped = -1, "", None
    passed = letters = 0  # bytes up to the last event, letters of its line up to it
    for start, end, element in zip(
        events["start"].tolist(), events["end"].tolist(), events["element"].tolist(), strict=True
    ):
        if start >= finish:
            passed, letters = folded.rfind(b"\n", 0, start) + 1, 0
            finish = folded.find(b"\n", start)
            finish = len(folded) if finish < 0 else finish
            line = folded[passed:finish].decode("utf-8", errors="surrogateescape")
            grouped = Grouped(line, tables)
        letters += len(folded[passed:start].decode("utf-8", errors="surrogateescape"))
        passed = start
        stop = letters + (end - start)
        assert grouped is not None
        found = (
            grouped.at(letters, stop)
            if element == FIRST_EVENT + 1
            else recognise_event(element, line, letters, stop, tables)
        )
        for one in found:
            head = start + _width(line, letters, one.start)
            yield Candidate(one.element, head, head + _width(line, one.start, one.end), one.evidence)


def _width(line: str, begin: int, end: int) -> int:
    """Return the bytes between two letters of a line, negative where the second comes first."""
    if end < begin:
        return -_width(line, end, begin)
    return len(line[begin:end].encode("utf-8", errors="surrogateescape"))


def _in_python(raw: bytes, least: Likelihood, tables: RecognitionTables) -> Scan:
    """Find the same with the patterns."""
    text = raw.decode("utf-8", errors="surrogateescape")
    folded = fold(text)
    candidates = [*recognise_numbers(folded.text, tables), *recognise_mail_and_network(folded.text)]
    kept = resolve(with_neighbours(folded.text, candidates), least.rank)
    rows: list[bytes] = []
    position = offset = 0
    for number, one in enumerate(kept):
        start, end = folded.span(one.start, one.end)
        offset += len(text[position:start].encode("utf-8", errors="surrogateescape"))
        width = len(text[start:end].encode("utf-8", errors="surrogateescape"))
        rows.append(_as_row(number, Candidate(one.element, offset, offset + width, one.evidence)))
        position, offset = end, offset + width
    settled = np.frombuffer(b"".join(rows), dtype=_ROWS)
    return Scan(_places(settled), settled, kept)


def _fold_letter(letter: int) -> bytes | None:
    if 0xD800 <= letter <= 0xDFFF:  # noqa: PLR2004 - halves of surrogate pairs
        return None
    given = chr(letter)
    plain = fold(given).text
    return None if plain == given else plain.encode()


_FOLDERS: list[object] = []


def _folder() -> object:
    if not _FOLDERS:
        assert NATIVE is not None
        _FOLDERS.append(NATIVE.folder_new(_fold_letter))
    return _FOLDERS[0]
