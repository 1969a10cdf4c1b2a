"""Values that look like Presidio's: results, explanations, and recognizers that a caller brings along."""

from dataclasses import asdict, dataclass, field
from typing import Any

from typing_extensions import override


@dataclass(slots=True)
class AnalysisExplanation:
    """Why a result is one. Never holds the value."""

    recognizer: str
    original_score: float
    pattern_name: str | None = None
    pattern: str | None = None
    validation_result: bool | None = None
    textual_explanation: str | None = None
    score: float = 0.0
    score_context_improvement: float = 0.0
    supportive_context_word: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(slots=True)
class RecognizerResult:
    """One finding; `text[start:end]` is the datum."""

    entity_type: str
    start: int
    end: int
    score: float
    analysis_explanation: AnalysisExplanation | None = None
    recognition_metadata: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as REST answers them."""
        return asdict(self)

    def contains(self, other: "RecognizerResult") -> bool:
        """Tell whether another result lies inside this one."""
        return self.start <= other.start and other.end <= self.end

    def contained_in(self, other: "RecognizerResult") -> bool:
        """Tell whether this result lies inside another one."""
        return other.contains(self)

    def intersects(self, other: "RecognizerResult") -> int:
        """Return how many characters two results share."""
        return max(0, min(self.end, other.end) - max(self.start, other.start))

    @override
    def __str__(self) -> str:
        return f"type: {self.entity_type}, start: {self.start}, end: {self.end}, score: {self.score}"


@dataclass(slots=True)
class Pattern:
    """A regular expression with its score."""

    name: str
    regex: str
    score: float


@dataclass(slots=True)
class PatternRecognizer:
    """A recognizer that a caller brings along: patterns, or words that are always found.

    Presidio's own objects of this name are understood as well.
    """

    supported_entity: str
    name: str = "ad_hoc"
    patterns: list[Pattern] = field(default_factory=list)
    deny_list: list[str] = field(default_factory=list)
    deny_list_score: float = 1.0
    supported_language: str = "zh"
    context: list[str] = field(default_factory=list)
