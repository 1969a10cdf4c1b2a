"""The three calls that `kuimen` offers at its top: overlays by name, plain mappings welcome."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kuimen.kernels.detection.bulk import Scan
from kuimen.kernels.detection.bulk import scan_bytes as scan_block
from kuimen.kernels.detection.columns import ColumnFinding, ColumnSample
from kuimen.kernels.detection.columns import classify_columns as classify_samples
from kuimen.kernels.detection.evidence import Finding, Likelihood
from kuimen.kernels.detection.redaction import redact as redact_with_tables
from kuimen.kernels.detection.rules import RuleSet
from kuimen.kernels.detection.text import detect as detect_with_tables
from kuimen.kernels.detection.text import detect_many as detect_many_with_tables
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import tables_for


def detect(
    text: str,
    *,
    elements: Iterable[Element | str] | None = None,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    overlay: str | None = None,
    rules: RuleSet | None = None,
) -> list[Finding]:
    """Return the personal financial data in a text; `text[finding.start:finding.end]` is the datum.

    Args:
        text: any text.
        elements: look for these only; None means all.
        min_likelihood: ``very_unlikely`` to ``very_likely``.
        overlay: ``fictitious`` also accepts the identities of demonstrations.
        rules: rules that are data; None means those that come with Kuimen.
    """
    return detect_with_tables(
        text, elements=elements, min_likelihood=min_likelihood, tables=tables_for(overlay), rules=rules
    )


def detect_many(
    texts: Sequence[str],
    *,
    elements: Iterable[Element | str] | None = None,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    overlay: str | None = None,
    rules: RuleSet | None = None,
) -> list[list[Finding]]:
    """Return for each text what `detect` returns; faster where texts hold names."""
    return detect_many_with_tables(
        texts, elements=elements, min_likelihood=min_likelihood, tables=tables_for(overlay), rules=rules
    )


def scan_bytes(
    block: bytes | bytearray | memoryview,
    *,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    overlay: str | None = None,
) -> Scan:
    """Return the structured personal data in a block of UTF-8 as an array of places in bytes; for logs in bulk.

    Args:
        block: whole lines.
        min_likelihood: ``very_unlikely`` to ``very_likely``.
        overlay: ``fictitious`` also accepts the identities of demonstrations.
    """
    return scan_block(block, min_likelihood=min_likelihood, tables=tables_for(overlay))


def redact(
    text: str,
    *,
    elements: Iterable[Element | str] | None = None,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    style: str = "label",
    overlay: str | None = None,
) -> str:
    """Return the text with every finding replaced by its element in angle brackets, or masked (``style="mask"``)."""
    return redact_with_tables(
        text, elements=elements, min_likelihood=min_likelihood, style=style, tables=tables_for(overlay)
    )


def classify_columns(
    columns: Iterable[ColumnSample | Mapping[str, Any]], *, overlay: str | None = None
) -> list[ColumnFinding]:
    """Name the element of each column.

    Args:
        columns: samples, or mappings with ``name`` and, where known, ``table``, ``comment``, ``type``, ``values``.
        overlay: ``fictitious`` also accepts the identities of demonstrations.
    """
    return classify_samples([_sample(column) for column in columns], tables_for(overlay))


def _sample(column: ColumnSample | Mapping[str, Any]) -> ColumnSample:
    if isinstance(column, ColumnSample):
        return column
    values: Sequence[object] | None = column.get("values")
    return ColumnSample(
        table=column.get("table") or "",
        name=column["name"],
        comment=column.get("comment"),
        type=column.get("type"),
        values=values,
        n_rows=column.get("n_rows"),
    )
