"""Elements inside text: which findings count, and which columns of running text hold any."""

from collections import Counter
from collections.abc import Iterable, Sequence

from kuimen.kernels.detection import Finding, Likelihood, detect_many
from kuimen.kernels.detection.rules import RuleSet
from kuimen.kernels.elements import Storage, rule_of
from kuimen.kernels.elements.overlay import RecognitionTables

_SHORTEST_PROSE = 8
_SURROUNDINGS = 2
_PROTECTED = frozenset({Storage.SEAL, Storage.DESTROY})


def is_protected(finding: Finding) -> bool:
    """Tell whether what was found is to be protected."""
    return rule_of(finding.element).storage in _PROTECTED


def findings_in(text: str, *, tables: RecognitionTables, rules: RuleSet | None = None) -> list[Finding]:
    """Return what stands in a line of text and is to be protected, possible findings included.

    The recogniser knows order numbers and the like by their context; in running text an overlooked phone weighs more
    than a serial number masked in vain.
    """
    return findings_in_many([text], tables=tables, rules=rules)[0]


def findings_in_many(
    texts: Sequence[str], *, tables: RecognitionTables, rules: RuleSet | None = None
) -> list[list[Finding]]:
    """Return for each text what `findings_in` returns; many lines at once take a tenth of the time."""
    found = detect_many(texts, min_likelihood=Likelihood.POSSIBLE, tables=tables, rules=rules)
    return [[one for one in each if is_protected(one)] for each in found]


def embedded_elements(
    values: Iterable[str], *, tables: RecognitionTables, rules: RuleSet | None = None
) -> dict[str, int]:
    """Return element to number of cells whose running text holds it, most frequent first.

    Only elements inside a longer text count: a cell that is nothing but a number is judged with its column.
    """
    texts = [text for value in values if len(text := value.strip()) >= _SHORTEST_PROSE and not text.isdigit()]
    counts: Counter[str] = Counter()
    for text, found in zip(texts, findings_in_many(texts, tables=tables, rules=rules), strict=True):
        counts.update({str(one.element) for one in found if one.end - one.start + _SURROUNDINGS <= len(text)})
    return dict(counts.most_common())
