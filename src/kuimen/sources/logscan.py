"""Find elements in text files line by line, in bounded memory."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kuimen.kernels.elements import rule_of
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.prose import findings_in
from kuimen.sources.relations import TextHit
from kuimen.sources.textfiles import TextShape, read_lines

_FIRST_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFindings:
    """Everything met in one text file."""

    lines: int
    hits: tuple[TextHit, ...]


def find_in_text(path: Path, shape: TextShape, *, tables: RecognitionTables) -> TextFindings:
    """Read a text file once and count the elements in it.

    Raises:
        RelationUnreadableError: the file breaks off.
    """
    counts: Counter[str] = Counter()
    first: dict[str, list[int]] = {}
    strongest: dict[str, str] = {}
    last = 0
    for number, line in read_lines(path, shape):
        last = number
        for finding in findings_in(line, tables=tables):
            name = str(finding.element)
            counts[name] += 1
            lines = first.setdefault(name, [])
            if len(lines) < _FIRST_LINES and number not in lines:
                lines.append(number)
            strongest.setdefault(name, str(finding.likelihood))
    hits = tuple(
        TextHit(
            element=name,
            category=str(rule_of(name).category),
            likelihood=strongest[name],
            count=counts[name],
            first_lines=tuple(first[name]),
        )
        for name in sorted(counts)
    )
    return TextFindings(lines=last, hits=hits)
