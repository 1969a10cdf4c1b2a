"""Take personal data out of a text and leave the rest readable."""

from collections.abc import Iterable

from kuimen.kernels.detection.evidence import Finding, Likelihood
from kuimen.kernels.detection.rules import RuleSet
from kuimen.kernels.detection.text import detect
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import PRODUCTION, RecognitionTables
from kuimen.kernels.masking import mask_free_text


def redact(
    text: str,
    *,
    elements: Iterable[Element | str] | None = None,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    style: str = "label",
    tables: RecognitionTables = PRODUCTION,
    rules: RuleSet | None = None,
) -> str:
    """Return the text with every finding replaced.

    Args:
        text: any text.
        elements: take out these only; None means all.
        min_likelihood: leave what is less sure.
        style: ``label`` writes the element in angle brackets, which tells nothing of the value; ``mask`` keeps what the
            masking rules of the element keep.
        tables: which numbers can exist.
        rules: rules that are data; None means those that come with Kuimen.
    """
    findings = detect(text, elements=elements, min_likelihood=min_likelihood, tables=tables, rules=rules)
    if style == "mask":
        return mask_free_text(text, findings)
    return replace_findings(text, findings)


def replace_findings(text: str, findings: Iterable[Finding]) -> str:
    """Write `<element>` in place of each finding; findings come in order and do not overlap."""
    parts: list[str] = []
    position = 0
    for finding in findings:
        parts += (text[position : finding.start], f"<{finding.element}>")
        position = finding.end
    parts.append(text[position:])
    return "".join(parts)
