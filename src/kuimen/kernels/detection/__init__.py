"""Finding personal data in text and columns."""

from kuimen.kernels.detection.bulk import Scan, scan_bytes
from kuimen.kernels.detection.columns import ColumnFinding, ColumnSample, classify_columns
from kuimen.kernels.detection.evidence import Evidence, EvidenceKind, Finding, Likelihood, explain, likelihood_of
from kuimen.kernels.detection.masked import find_masked
from kuimen.kernels.detection.redaction import redact, replace_findings
from kuimen.kernels.detection.text import detect, detect_many

__all__ = [
    "ColumnFinding",
    "ColumnSample",
    "Evidence",
    "EvidenceKind",
    "Finding",
    "Likelihood",
    "Scan",
    "classify_columns",
    "detect",
    "detect_many",
    "explain",
    "find_masked",
    "likelihood_of",
    "redact",
    "replace_findings",
    "scan_bytes",
]
