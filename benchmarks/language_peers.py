"""Other tools on names and addresses in running text; each only where it is installed, and never by us.

`pip install jieba helan cpca thulac presidio-analyzer` beside Kuimen puts them there (THULAC alone is 490 MB, and is
taken for evaluation only). None of them fetches anything when it runs. Presidio knows no Chinese name without a model
from elsewhere; it gets the patterns that a user would write, a label and two to four 汉字.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from benchmarks.detection_peers import without_model

Spans = set[tuple[int, int]]
_LEADS = ("姓名", "联系人", "客户", "借款人", "申请人", "户名", "收件人", "担保人")


def name_finders() -> dict[str, Callable[[str], Spans] | None]:
    """Return what finds the spans of names, None for what is not installed."""
    return {"jieba nr": _jieba(), "THULAC np": _thulac(), "helan": _helan(), "Presidio + labels": _presidio()}


def address_finders() -> dict[str, Callable[[str], bool] | None]:
    """Return what tells whether a text holds an address, None for what is not installed."""
    return {"cpca": _cpca(), "helan": _helan_address()}


def _module(name: str) -> Any:  # noqa: ANN401 - a module that may be absent
    try:
        return import_module(name)
    except ImportError:
        return None


def _placed(text: str, words: list[tuple[str, bool]]) -> Spans:
    """Find the words again: some tools drop spaces."""
    spans, place = set(), 0
    for word, is_name in words:
        start = text.find(word, place)
        if start < 0:
            continue
        place = start + len(word)
        if is_name and len(word) > 1:
            spans.add((start, place))
    return spans


def _jieba() -> Callable[[str], Spans] | None:
    tagging = _module("jieba.posseg")
    if tagging is None:
        return None
    return lambda text: _placed(text, [(one.word, one.flag.startswith("nr")) for one in tagging.cut(text)])


def _thulac() -> Callable[[str], Spans] | None:
    package = _module("thulac")
    if package is None:
        return None
    segmenter = package.thulac()
    return lambda text: _placed(
        text, [(word, tag == "np") for word, tag in segmenter.cut(text)] if text.strip() else []
    )


def _helan() -> Callable[[str], Spans] | None:
    package = _module("helan")
    if package is None:
        return None
    return lambda text: {(one.start, one.end) for one in package.recognize(text) if str(one.type) == "PERSON_NAME"}


def _helan_address() -> Callable[[str], bool] | None:
    package = _module("helan")
    if package is None:
        return None
    return lambda text: any(str(one.type) == "ADDRESS" for one in package.recognize(text))


def _presidio() -> Callable[[str], Spans] | None:
    analyzer, nlp = _module("presidio_analyzer"), _module("presidio_analyzer.nlp_engine")
    if analyzer is None or nlp is None:
        return None
    known = analyzer.RecognizerRegistry(supported_languages=["zh"])
    behind = "|".join(f"(?<={lead}[:：])|(?<={lead})" for lead in _LEADS)
    shape = analyzer.Pattern(name="person_name", regex=f"(?:{behind})[\u4e00-\u9fff]{{2,4}}", score=0.6)
    known.add_recognizer(
        analyzer.PatternRecognizer(supported_entity="person_name", supported_language="zh", patterns=[shape])
    )
    engine = analyzer.AnalyzerEngine(known, without_model(nlp), supported_languages=["zh"])
    return lambda text: {(one.start, one.end) for one in engine.analyze(text, language="zh")}


def _cpca() -> Callable[[str], bool] | None:
    package = _module("cpca")
    if package is None:
        return None
    return lambda text: bool(package.transform([text])["省"].notna().any())
