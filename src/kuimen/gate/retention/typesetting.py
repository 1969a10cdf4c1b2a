"""Sets a certificate as PDF. Equal documents give equal bytes."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from kuimen.gate.retention.errors import TypesetterMissingError

_FONT_PACKAGES = ("cvttf_NotoSansCJK_Regular", "cvttf_NotoSansCJK_Bold")


@cache
def _typst() -> tuple[Any, Any]:
    try:
        typst = import_module("typst")
        folders = [str(Path(str(import_module(name).__file__)).parent) for name in _FONT_PACKAGES]
    except ImportError:
        raise TypesetterMissingError("certificate: typst and its fonts are missing; install kuimen[server]") from None
    return typst, typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)


def certificate_pdf(document: Mapping[str, Any], *, key_id: str) -> bytes:
    """Return the Chinese PDF (PDF/A-2u) of a certificate; the signature itself stands in the JSON form.

    Raises:
        TypesetterMissingError: typst or its fonts are missing.
    """
    typst, fonts = _typst()
    template = files("kuimen.gate.retention").joinpath("certificate.typ").read_bytes()
    moment = datetime.fromisoformat(document["made_at"])
    pdf: bytes = typst.compile(
        template,
        font_paths=fonts,
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"document": json.dumps({**document, "key_id": key_id}, ensure_ascii=False, sort_keys=True)},
        pdf_standards=["a-2u"],
        timestamp=int(moment.timestamp()),
    )
    return pdf
