"""Evidence and the likelihood that follows from it.

A finding lists what speaks for it and against it; each piece carries points. The likelihood is the sum of the points
read off `THRESHOLDS` and nothing else, so anyone can recompute it from what is printed. Evidence names rules and
counts; it never holds a value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from kuimen.kernels.elements.model import Category, Element


class Likelihood(StrEnum):
    """How sure a finding is, in five steps."""

    VERY_UNLIKELY = "very_unlikely"
    UNLIKELY = "unlikely"
    POSSIBLE = "possible"
    LIKELY = "likely"
    VERY_LIKELY = "very_likely"

    @property
    def rank(self) -> int:
        """0 for very unlikely to 4 for very likely."""
        return _RANKS[self]

    @property
    def fewest_points(self) -> int:
        """Points that a finding of this likelihood has at least; -100 where any number will do."""
        return _FEWEST_POINTS.get(self, -100)


_RANKS = {likelihood: rank for rank, likelihood in enumerate(Likelihood)}

# Least points for each step; below the last line a finding is very unlikely.
THRESHOLDS: tuple[tuple[int, Likelihood], ...] = (
    (7, Likelihood.VERY_LIKELY),
    (5, Likelihood.LIKELY),
    (3, Likelihood.POSSIBLE),
    (1, Likelihood.UNLIKELY),
)
_FEWEST_POINTS = {likelihood: least for least, likelihood in THRESHOLDS}


class EvidenceKind(StrEnum):
    """Where a piece of evidence was seen."""

    FORMAT = "format"
    CHECKSUM = "checksum"
    TABLE = "table"
    LABEL = "label"
    CONTEXT_LEFT = "context_left"
    CONTEXT_RIGHT = "context_right"
    NEGATIVE_CONTEXT = "negative_context"
    COLUMN_NAME = "column_name"
    COLUMN_COMMENT = "column_comment"
    COLUMN_TYPE = "column_type"
    PREVALENCE = "prevalence"
    UNIQUENESS = "uniqueness"
    SIBLINGS = "siblings"
    MASKED = "masked"
    COMBINATION = "combination"
    CORRECTION = "correction"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason: where it was seen, which rule saw it, what it weighs, and counts where there are any."""

    kind: EvidenceKind
    rule: str
    points: int
    detail: str = ""

    def printed(self) -> str:
        """Return one line: points, place, rule, counts."""
        tail = f" ({self.detail})" if self.detail else ""
        return f"{self.points:+d} {self.kind}: {self.rule}{tail}"

    __str__ = printed


def likelihood_of(evidence: Iterable[Evidence]) -> Likelihood:
    """Return the likelihood that the points of the evidence add up to."""
    total = sum(piece.points for piece in evidence)
    for least, likelihood in THRESHOLDS:
        if total >= least:
            return likelihood
    return Likelihood.VERY_UNLIKELY


def explain(evidence: Iterable[Evidence]) -> str:
    """Print the sum: one line per piece of evidence and the likelihood last."""
    pieces = tuple(evidence)
    total = sum(piece.points for piece in pieces)
    return "\n".join([*(piece.printed() for piece in pieces), f"= {total} {likelihood_of(pieces)}"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One datum in a text.

    Attributes:
        element: what it is.
        start: offset of its first character in the text that was given.
        end: offset behind its last character; `text[start:end]` is the datum.
        category: class of JR/T 0171, raised where it stands together with what it opens.
        likelihood: function of `evidence`.
        evidence: rules and counts, never a value.
    """

    element: Element
    start: int
    end: int
    category: Category
    likelihood: Likelihood
    evidence: tuple[Evidence, ...]


@dataclass(slots=True)
class Candidate:
    """A span that a recogniser proposes; offsets count in the folded text."""

    element: Element
    start: int
    end: int
    evidence: tuple[Evidence, ...]

    @property
    def points(self) -> int:
        """Sum of the evidence."""
        return sum(piece.points for piece in self.evidence)
