"""The printed report: what it says (document), how it is set (typesetting)."""

from kuimen.assessment.report.document import report_document
from kuimen.assessment.report.typesetting import typeset

__all__ = ["report_document", "typeset"]
