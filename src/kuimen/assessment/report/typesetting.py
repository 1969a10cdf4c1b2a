"""Sets the report as PDF. Equal input gives equal bytes: fonts come from wheels, the date from the assessment."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from kuimen.assessment.errors import ReportUnavailableError

_FONT_PACKAGES = ("cvttf_NotoSansCJK_Regular", "cvttf_NotoSansCJK_Bold")


@cache
def _typst() -> tuple[Any, Any]:
    try:
        typst = import_module("typst")
        folders = [str(Path(str(import_module(name).__file__)).parent) for name in _FONT_PACKAGES]
    except ImportError:
        raise ReportUnavailableError("report: typst and its fonts are not installed; install kuimen[server]") from None
    return typst, typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)


def typeset(document: Mapping[str, Any], *, moment: datetime) -> bytes:
    """Return the PDF (archival profile PDF/A-2u) of a report.

    Args:
        document: what the report says, from `report_document`.
        moment: date written into the file; the moment of the assessment, so that a second rendering is identical.

    Raises:
        ReportUnavailableError: the typesetter or its fonts are missing.
    """
    typst, fonts = _typst()
    template = files("kuimen.assessment.report").joinpath("template.typ").read_bytes()
    pdf: bytes = typst.compile(
        template,
        font_paths=fonts,
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"document": json.dumps(document, ensure_ascii=False, sort_keys=True)},
        pdf_standards=["a-2u"],
        timestamp=int(moment.timestamp()),
    )
    return pdf
