"""`AnalyzerEngine.analyze` with Presidio's parameters, on Kuimen's kernel."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from kuimen.entrypoints.presidio.entities import (
    SUPPORTED_LANGUAGES,
    elements_of,
    entity_names,
    entity_of,
    least_for,
    score_of,
)
from kuimen.entrypoints.presidio.errors import AnalyzerRequestError, UnsupportedLanguageError
from kuimen.entrypoints.presidio.results import AnalysisExplanation, RecognizerResult
from kuimen.foundation.errors import InvalidInputError
from kuimen.kernels.detection import Finding, detect, explain
from kuimen.kernels.detection.rules.safety import check_pattern
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import tables_for

RECOGNIZER = "KuimenRecognizer"
_CONTEXT_GAIN = 0.35
_CONTEXT_REACH = 30
_FLAGS = re.DOTALL | re.MULTILINE | re.IGNORECASE


class AnalyzerEngine:
    """Presidio's analyzer by name and parameters; language models, registries and their files are not needed."""

    def __init__(
        self,
        registry: object = None,
        nlp_engine: object = None,
        *,
        supported_languages: Sequence[str] = SUPPORTED_LANGUAGES,
        default_score_threshold: float = 0.0,
        overlay: str | None = None,
        **_ignored: object,
    ) -> None:
        """Prepare.

        Args:
            registry: taken and ignored, as is every other parameter that Presidio knows and Kuimen does not need.
            nlp_engine: the same.
            supported_languages: what `analyze` accepts.
            default_score_threshold: results below are left out.
            overlay: `fictitious` also accepts the identities of demonstrations.
        """
        del registry, nlp_engine
        self.supported_languages = list(supported_languages)
        self.default_score_threshold = default_score_threshold
        self._tables = tables_for(overlay)

    def get_supported_entities(self, language: str | None = None) -> list[str]:
        """Return the names of all entities."""
        self._check_language(language or self.supported_languages[0])
        return entity_names()

    def get_recognizers(self, language: str | None = None) -> list[str]:
        """Return the one recognizer there is."""
        self._check_language(language or self.supported_languages[0])
        return [RECOGNIZER]

    def analyze(  # noqa: PLR0913, PLR0917 - Presidio's parameters in Presidio's order
        self,
        text: str,
        language: str = "zh",
        entities: Sequence[str] | None = None,
        correlation_id: str | None = None,
        score_threshold: float | None = None,
        return_decision_process: bool | None = False,  # noqa: FBT001, FBT002 - Presidio's order
        ad_hoc_recognizers: Sequence[Any] | None = None,
        context: Sequence[str] | None = None,
        allow_list: Sequence[str] | None = None,
        allow_list_match: str = "exact",
        regex_flags: int | None = _FLAGS,
        nlp_artifacts: object = None,
    ) -> list[RecognizerResult]:
        """Return what a text holds, in order of place.

        Args:
            text: any text.
            language: `zh` or `en`; both are recognised together.
            entities: names of entities or elements; None means all.
            correlation_id: taken and ignored.
            score_threshold: results below are left out.
            return_decision_process: add to each result why it is one.
            ad_hoc_recognizers: patterns and words of the caller, for this call.
            context: words that stand around the text where it comes from, such as the name of its field.
            allow_list: texts, or regular expressions, that are no findings.
            allow_list_match: `exact` or `regex`.
            regex_flags: for patterns of this call.
            nlp_artifacts: taken and ignored.

        Raises:
            UnsupportedLanguageError: the language is not served.
            AnalyzerRequestError: a parameter is of the wrong form, or a pattern could run for ever.
        """
        del correlation_id, nlp_artifacts
        self._check_language(language)
        if not isinstance(text, str):
            raise AnalyzerRequestError("text: must be text")
        threshold = self.default_score_threshold if score_threshold is None else float(score_threshold)
        flags = _FLAGS if regex_flags is None else regex_flags
        brought = list(ad_hoc_recognizers or ())
        own = {name for one in brought for name in _entities_of(one)}
        wanted = None if entities is None else elements_of(name for name in entities if name not in own)
        found = self._found(text, wanted, threshold, context or ())
        for recognizer in brought:
            if entities is None or not own.isdisjoint(entities):
                found += _ad_hoc(recognizer, text, flags, context or ())
        allowed = _Allowed(allow_list or (), allow_list_match, flags)
        kept = [one for one in found if one.score >= threshold and not allowed.has(text[one.start : one.end])]
        if not return_decision_process:
            for one in kept:
                one.analysis_explanation = None
        return sorted(_without_repeats(kept), key=lambda one: (one.start, -one.end))

    def _check_language(self, language: str) -> None:
        if language.replace("_", "-").partition("-")[0].lower() not in self.supported_languages:
            raise UnsupportedLanguageError("language: not served; use zh or en")

    def _found(
        self, text: str, wanted: frozenset[Element] | None, threshold: float, context: Sequence[str]
    ) -> list[RecognizerResult]:
        least = least_for(threshold)
        found = [_result(one, 0) for one in self._detect(text, wanted, least)]
        if context:
            lead = "".join(f"{word} " for word in context).rstrip() + "："
            seen = [one for one in self._detect(lead + text, wanted, least) if one.start >= len(lead)]
            found = [*(_result(one, -len(lead)) for one in seen), *found]
        return found

    def _detect(self, text: str, wanted: frozenset[Element] | None, least: Any) -> list[Finding]:  # noqa: ANN401
        return detect(text, elements=wanted, min_likelihood=least, tables=self._tables)


def _result(one: Finding, moved: int) -> RecognizerResult:
    score = score_of(one.likelihood)
    return RecognizerResult(
        entity_type=entity_of(one.element),
        start=one.start + moved,
        end=one.end + moved,
        score=score,
        analysis_explanation=AnalysisExplanation(
            recognizer=RECOGNIZER,
            original_score=score,
            score=score,
            pattern_name=str(one.element),
            textual_explanation=explain(one.evidence),
        ),
        recognition_metadata={
            "recognizer_name": RECOGNIZER,
            "element": str(one.element),
            "category": str(one.category),
            "likelihood": str(one.likelihood),
        },
    )


def _entities_of(recognizer: Any) -> list[str]:  # noqa: ANN401 - ours, Presidio's, or a mapping of REST
    if isinstance(recognizer, dict):
        name = recognizer.get("supported_entity")
        return [str(name)] if name else []
    several = getattr(recognizer, "supported_entities", None)
    return list(several) if several else [recognizer.supported_entity]


def _of(holder: Any, name: str, default: Any) -> Any:  # noqa: ANN401
    found = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
    return default if found is None else found


def _ad_hoc(recognizer: Any, text: str, flags: int, context: Sequence[str]) -> Iterator[RecognizerResult]:  # noqa: ANN401
    entities = _entities_of(recognizer)
    if not entities:
        raise AnalyzerRequestError("ad_hoc_recognizers: supported_entity must be there")
    words = list(_of(recognizer, "context", []))
    patterns = [(str(_of(one, "name", "")), str(_of(one, "regex", "")), float(_of(one, "score", 0.5)))
                for one in _of(recognizer, "patterns", [])]  # fmt: skip
    for name, regex, score in patterns:
        try:
            check_pattern(regex)
        except InvalidInputError as unsafe:
            raise AnalyzerRequestError(f"ad_hoc_recognizers: {unsafe}") from None
        for match in re.finditer(regex, text, flags):
            if match.end() > match.start():
                yield _brought(entities[0], name, score, match.span(), _word_near(text, match.start(), words, context))
    score = float(_of(recognizer, "deny_list_score", 1.0))
    for word in _of(recognizer, "deny_list", []):
        for match in re.finditer(re.escape(str(word)), text, flags):
            yield _brought(entities[0], "deny_list", score, match.span(), "")


def _word_near(text: str, start: int, words: Iterable[str], context: Sequence[str]) -> str:
    around = text[max(0, start - _CONTEXT_REACH) : start].lower() + " ".join(context).lower()
    return next((word for word in words if word.lower() in around), "")


def _brought(entity: str, name: str, score: float, span: tuple[int, int], word: str) -> RecognizerResult:
    raised = min(1.0, score + _CONTEXT_GAIN) if word else score
    return RecognizerResult(
        entity_type=entity,
        start=span[0],
        end=span[1],
        score=raised,
        analysis_explanation=AnalysisExplanation(
            recognizer="ad_hoc",
            original_score=score,
            score=raised,
            pattern_name=name,
            score_context_improvement=raised - score,
            supportive_context_word=word,
        ),
        recognition_metadata={"recognizer_name": "ad_hoc"},
    )


class _Allowed:
    """Texts that are no findings, word by word or by regular expressions."""

    def __init__(self, texts: Sequence[str], match: str, flags: int) -> None:
        if match not in {"exact", "regex"}:
            raise AnalyzerRequestError("allow_list_match: exact or regex")
        self._exact = frozenset(texts) if match == "exact" else frozenset()
        self._patterns: list[re.Pattern[str]] = []
        for text in texts if match == "regex" else ():
            try:
                check_pattern(text)
            except InvalidInputError as unsafe:
                raise AnalyzerRequestError(f"allow_list: {unsafe}") from None
            self._patterns.append(re.compile(text, flags))

    def has(self, text: str) -> bool:
        """Tell whether a text is allowed."""
        return text in self._exact or any(pattern.search(text) for pattern in self._patterns)


def _without_repeats(found: Iterable[RecognizerResult]) -> list[RecognizerResult]:
    """Keep the best result for each entity and place; of one entity, none that lies inside another."""
    kept: list[RecognizerResult] = []
    for one in sorted(found, key=lambda result: (-result.score, result.start, -result.end)):
        if not any(one.entity_type == other.entity_type and one.intersects(other) for other in kept):
            kept.append(one)
    return kept
