"""Find elements in running text, in bounded memory: many lines at once, and windows over lines that never end."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from kuimen.kernels.detection import Finding
from kuimen.kernels.detection.rules import RuleSet
from kuimen.kernels.elements import rule_of
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.prose import findings_in_many
from kuimen.sources.relations import Problem, TextHit
from kuimen.sources.textfiles import UNDECODED, TextShape, note_problem, read_lines

_FIRST_PLACES = 5
_CHARACTERS_TOGETHER = 1 << 18
_WINDOW_CHARACTERS = 1 << 16
_REACH = 512  # no element and no context that decides about one is longer
_KEY_BEGIN, _KEY_END = "-----BEGIN ", "-----END "
_LONGEST_KEY_LINES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFindings:
    """Everything met in one text; a text that broke off says so among its problems."""

    lines: int
    hits: tuple[TextHit, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class _Tally:
    """Counts of elements with the first places they were met at."""

    counts: Counter[str] = field(default_factory=Counter)
    first: dict[str, list[int]] = field(default_factory=dict)
    strongest: dict[str, str] = field(default_factory=dict)

    def take(self, finding: Finding, place: int) -> None:
        name = str(finding.element)
        self.counts[name] += 1
        places = self.first.setdefault(name, [])
        if len(places) < _FIRST_PLACES and place not in places:
            places.append(place)
        self.strongest.setdefault(name, str(finding.likelihood))

    def hits(self) -> tuple[TextHit, ...]:
        return tuple(
            TextHit(
                element=name,
                category=str(rule_of(name).category),
                likelihood=self.strongest[name],
                count=self.counts[name],
                first_lines=tuple(self.first[name]),
            )
            for name in sorted(self.counts)
        )


def find_in_text(
    path: Path, shape: TextShape, *, tables: RecognitionTables, rules: RuleSet | None = None
) -> TextFindings:
    """Read a text file once and count the elements in it; a file that breaks off gives what stands before the break."""
    return find_in_lines(read_lines(path, shape), tables=tables, rules=rules)


def find_in_lines(
    lines: Iterable[tuple[int, str]], *, tables: RecognitionTables, rules: RuleSet | None = None
) -> TextFindings:
    """Count the elements in (place, text) pairs; pairs of one place in sequence are pieces of one line.

    Each line is judged by itself, as `detect` judges it; a private key over several lines is one text.

    Raises:
        RelationUnreadableError: the text breaks off before its first line; later breaks are among its problems.
    """
    tally = _Tally()
    problems: list[Problem] = []
    watched = _Watched(lines, problems)
    for records in _together(_records(_joined(watched))):
        found = findings_in_many([text for _, text, _, _ in records], tables=tables, rules=rules)
        for (place, _, start, end), findings in zip(records, found, strict=True):
            for finding in findings:
                if finding.start >= start and (end is None or finding.start < end):
                    tally.take(finding, place)
    return TextFindings(lines=watched.last, hits=tally.hits(), problems=tuple(problems))


def merged(hits: Iterable[TextHit]) -> tuple[TextHit, ...]:
    """Add up hits of the same element that were counted apart."""
    together: dict[str, TextHit] = {}
    for hit in hits:
        known = together.get(hit.element)
        if known is not None:
            places = tuple(sorted({*known.first_lines, *hit.first_lines})[:_FIRST_PLACES])
            hit = replace(known, count=known.count + hit.count, first_lines=places)  # noqa: PLW2901 - the sum
        together[hit.element] = hit
    return tuple(together[name] for name in sorted(together))


class _Watched:
    """Passes lines through and keeps the number of the last, undecodable bytes and the break of a file."""

    def __init__(self, lines: Iterable[tuple[int, str]], problems: list[Problem]) -> None:
        self._lines = lines
        self._problems = problems
        self.last = 0

    def __iter__(self) -> Iterator[tuple[int, str]]:
        try:
            for number, text in self._lines:
                if UNDECODED in text and number != self.last:
                    note_problem(self._problems, number, "bytes that are no text of this encoding; read as �")
                self.last = number
                yield number, text
        except RelationUnreadableError as error:
            if not self.last:
                raise
            self._problems.append(Problem(line=self.last, reason=f"after line {self.last}: {error}"))


_Record = tuple[int, str, int, int | None]
"""Place and text of a line, or of one window of a long one; findings count from the third up to the fourth."""


def _together(records: Iterable[_Record]) -> Iterator[list[_Record]]:
    gathered: list[_Record] = []
    length = 0
    for one in records:
        gathered.append(one)
        length += len(one[1])
        if length >= _CHARACTERS_TOGETHER:
            yield gathered
            gathered, length = [], 0
    if gathered:
        yield gathered


def _records(lines: Iterable[_Record]) -> Iterator[_Record]:
    """Pass lines through; those of a private key become one."""
    key: list[_Record] = []
    for line in lines:
        text = line[1]
        if key:
            key.append(line)
            if _KEY_END in text or len(key) > _LONGEST_KEY_LINES:
                yield _one_of(key)
                key = []
        elif _KEY_BEGIN in text and "PRIVATE KEY" in text and _KEY_END not in text and line[3] is None:
            key = [line]
        else:
            yield line
    if key:
        yield _one_of(key)


def _one_of(key: list[_Record]) -> _Record:
    place, _, start, _ = key[0]
    return place, "\n".join(line[1] for line in key), start, None


def _joined(lines: Iterable[tuple[int, str]]) -> Iterator[_Record]:
    """Pass short lines through; cut long ones into windows that overlap, each character decided in one of them."""
    carried, carried_place, decided = "", 0, 0
    for place, piece in lines:
        if carried and place != carried_place:
            yield carried_place, carried, decided, None
            carried, decided = "", 0
        if not carried and len(piece) <= _WINDOW_CHARACTERS and piece.endswith(("\n", "\r")):
            yield place, piece.rstrip("\r\n"), 0, None
            continue
        for begin in range(0, len(piece), _WINDOW_CHARACTERS):
            carried, carried_place = carried + piece[begin : begin + _WINDOW_CHARACTERS], place
            if len(carried) > _WINDOW_CHARACTERS:
                until = len(carried) - _REACH
                yield place, carried, decided, until
                carried, decided = carried[until - _REACH :], _REACH
    if carried:
        yield carried_place, carried, decided, None
