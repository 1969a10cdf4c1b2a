"""Elements inside text: which findings count, and which columns of running text hold any."""

from collections import Counter
from collections.abc import Iterable

from kuimen.kernels.detection import EvidenceKind, Finding, Likelihood, detect
from kuimen.kernels.elements import Storage, rule_of
from kuimen.kernels.elements.overlay import RecognitionTables

_SHORTEST_PROSE = 8
_SURROUNDINGS = 2
_PROTECTED = frozenset({Storage.SEAL, Storage.DESTROY})


def findings_in(text: str, *, tables: RecognitionTables) -> list[Finding]:
    """Return what stands in a line of text: likely findings, and possible ones that are labelled or may not be kept."""
    return [finding for finding in detect(text, min_likelihood=Likelihood.POSSIBLE, tables=tables) if _counts(finding)]


def _counts(finding: Finding) -> bool:
    if finding.likelihood.rank >= Likelihood.LIKELY.rank or rule_of(finding.element).storage is Storage.DESTROY:
        return True
    return any(piece.kind is EvidenceKind.LABEL for piece in finding.evidence)


def embedded_elements(values: Iterable[str], *, tables: RecognitionTables) -> dict[str, int]:
    """Return element to number of cells whose running text holds it, most frequent first.

    Only elements inside a longer text count: a cell that is nothing but a number is judged with its column.
    """
    counts: Counter[str] = Counter()
    for value in values:
        text = value.strip()
        if len(text) < _SHORTEST_PROSE or text.isdigit():
            continue
        inside = {
            str(finding.element)
            for finding in findings_in(text, tables=tables)
            if finding.end - finding.start + _SURROUNDINGS <= len(text)
            and rule_of(finding.element).storage in _PROTECTED
        }
        counts.update(inside)
    return dict(counts.most_common())
