"""The printed report: what it says (document), how it is set (typesetting), where it lies (filing)."""

from kuimen.assessment.report.document import report_document
from kuimen.assessment.report.filing import render_report, report_file
from kuimen.assessment.report.typesetting import typeset

__all__ = ["render_report", "report_document", "report_file", "typeset"]
