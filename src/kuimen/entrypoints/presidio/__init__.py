"""A drop-in for Presidio's analyzer that knows Chinese: the same calls, names, offsets and REST routes.

>>> from kuimen.entrypoints.presidio import AnalyzerEngine
>>> [str(one) for one in AnalyzerEngine().analyze("联系邮箱a.b@example.com", language="zh")]
['type: EMAIL_ADDRESS, start: 4, end: 19, score: 0.95']
"""

from kuimen.entrypoints.presidio.engine import AnalyzerEngine
from kuimen.entrypoints.presidio.errors import AnalyzerRequestError, UnsupportedLanguageError
from kuimen.entrypoints.presidio.results import AnalysisExplanation, Pattern, PatternRecognizer, RecognizerResult

__all__ = [
    "AnalysisExplanation",
    "AnalyzerEngine",
    "AnalyzerRequestError",
    "Pattern",
    "PatternRecognizer",
    "RecognizerResult",
    "UnsupportedLanguageError",
]
