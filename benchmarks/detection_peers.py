"""Other tools on the same sentences and the same log; each only where it is installed, and never by us.

`pip install presidio-analyzer helan` puts them beside Kuimen. Presidio has no recogniser for China; the patterns given
to it here are those that its users publish, with its own word boundaries replaced by guards that work beside 汉字.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

Finder = Callable[[str], set[tuple[str, int, int]]]
_GUARD, _END = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_PATTERNS = {
    "resident_id": r"[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]",
    "mobile": r"1[3-9]\d{9}",
    "bank_card": r"[3-6]\d{12,18}",
    "email": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,24}",
    "uscc": r"[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}",
}
_HELAN = {
    "ID_CARD": "resident_id", "PHONE": "mobile", "BANK_CARD": "bank_card", "EMAIL": "email", "USCC": "uscc",
}  # fmt: skip


def presidio() -> Finder | None:
    """Presidio's analyzer without a language model, with one pattern recogniser for each element."""
    try:
        analyzer = import_module("presidio_analyzer")
        nlp = import_module("presidio_analyzer.nlp_engine")
    except ImportError:
        return None

    engine = analyzer.AnalyzerEngine(_recognisers(analyzer), without_model(nlp), supported_languages=["zh"])
    return lambda text: {(one.entity_type, one.start, one.end) for one in engine.analyze(text, language="zh")}


def without_model(nlp: Any) -> Any:  # noqa: ANN401 - a module that may be absent
    """An engine that splits nothing: what is measured are the recognisers."""

    class NoModel(nlp.NlpEngine):  # type: ignore[misc, name-defined]
        def load(self) -> None: ...

        def is_loaded(self) -> bool:
            return True

        def process_text(self, _text: str, _language: str) -> object:
            return nlp.NlpArtifacts([], [], [], [], self, "zh")

        def process_batch(self, texts: list[str], language: str, **_options: object) -> object:
            return ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, _word: str, _language: str) -> bool:
            return False

        def is_punct(self, _word: str, _language: str) -> bool:
            return False

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["zh"]

    return NoModel()


def _recognisers(analyzer: Any) -> Any:  # noqa: ANN401 - a module that may be absent
    known = analyzer.RecognizerRegistry(supported_languages=["zh"])
    for element, pattern in _PATTERNS.items():
        shape = analyzer.Pattern(name=element, regex=f"{_GUARD}{pattern}{_END}", score=0.6)
        known.add_recognizer(
            analyzer.PatternRecognizer(supported_entity=element, supported_language="zh", patterns=[shape])
        )
    return known


def helan() -> Finder | None:
    """The package helan with its defaults."""
    try:
        package = import_module("helan")
    except ImportError:
        return None

    def found(text: str) -> set[tuple[str, int, int]]:
        return {(_HELAN.get(str(one.type), str(one.type)), one.start, one.end) for one in package.recognize(text)}

    return found
