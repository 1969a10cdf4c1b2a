"""Elements inside text: which findings count, and which columns of running text hold any."""

from collections import Counter
from collections.abc import Iterable

from kuimen.kernels.detection import Finding, Likelihood, detect
from kuimen.kernels.elements import Storage, rule_of
from kuimen.kernels.elements.overlay import RecognitionTables

_SHORTEST_PROSE = 8
_SURROUNDINGS = 2
_PROTECTED = frozenset({Storage.SEAL, Storage.DESTROY})


def findings_in(text: str, *, tables: RecognitionTables) -> list[Finding]:
    """Return what stands in a line of text and is to be protected, possible findings included.

    The recogniser knows order numbers and the like by their context; in running text an overlooked phone weighs more
    than a serial number masked in vain.
    """
    found = detect(text, min_likelihood=Likelihood.POSSIBLE, tables=tables)
    return [finding for finding in found if rule_of(finding.element).storage in _PROTECTED]


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
        }
        counts.update(inside)
    return dict(counts.most_common())
