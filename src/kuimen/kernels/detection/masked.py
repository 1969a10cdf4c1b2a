"""Values that somebody has masked already: what they were, so that a report can say protected instead of clear.

`detect` leaves them alone; nothing of them may be counted as personal data in clear.

>>> [(str(one.element), one.start, one.end) for one in find_masked("手机138****5678")]
[('mobile', 2, 13)]
"""

import re
from collections.abc import Mapping

from kuimen.kernels.detection.context import label_before, same_family
from kuimen.kernels.detection.evidence import Evidence, EvidenceKind, Finding, likelihood_of
from kuimen.kernels.detection.folding import fold
from kuimen.kernels.elements.model import Category, Element

_STAR = "[*•●×#]"
_SHAPES: Mapping[Element, re.Pattern[str]] = {
    Element.EMAIL: re.compile(
        rf"[0-9A-Za-z._-]{{0,8}}{_STAR}{{2,20}}[0-9A-Za-z._-]{{0,8}}@[0-9A-Za-z*-]{{1,40}}(?:\.[0-9A-Za-z-]{{2,20}}){{1,3}}"
    ),
    Element.RESIDENT_ID: re.compile(
        rf"(?<![0-9A-Za-z])[1-9][0-9]{{0,9}}{_STAR}{{8,16}}[0-9]{{0,4}}[0-9Xx](?![0-9A-Za-z])"
    ),
    Element.MOBILE: re.compile(rf"(?<![0-9A-Za-z])1[3-9][0-9]{_STAR}{{3,6}}[0-9]{{2,4}}(?![0-9A-Za-z*])"),
    Element.BANK_CARD: re.compile(
        rf"(?<![0-9A-Za-z])[2-9][0-9]{{3,5}}[ -]?(?:{_STAR}{{3,4}}[ -]?){{1,3}}{_STAR}{{0,4}}[ -]?"
        r"[0-9]{3,4}(?![0-9A-Za-z*])"
    ),
    Element.PERSON_NAME: re.compile(
        rf"(?<![\u3400-\u9fff])(?:[\u3400-\u9fff]{_STAR}{{1,2}}[\u3400-\u9fff]?|{_STAR}{{1,2}}[\u3400-\u9fff])(?![\u3400-\u9fff*])"
    ),
}
_RIVALS = 3


def find_masked(text: str) -> list[Finding]:
    """Return the masked values of a text in order of place, without overlaps; their category is C1.

    Of two readings of one place the one that the label names wins, else the longer one.
    """
    folded = fold(text)
    seen: list[tuple[int, int, int, int, Element, tuple[Evidence, ...]]] = []
    for element, pattern in _SHAPES.items():
        for match in pattern.finditer(folded.text):
            label = label_before(folded.text, match.start()).element
            named = label is not None and same_family(label, element)
            pieces: tuple[Evidence, ...] = (Evidence(EvidenceKind.MASKED, f"masked layout:{element}", 3),)
            if named:
                pieces = (*pieces, Evidence(EvidenceKind.LABEL, f"label:{label}", _RIVALS))
            seen.append((-named, match.start() - match.end(), match.start(), match.end(), element, pieces))
    kept: list[Finding] = []
    for _, _, begin, stop, element, proof in sorted(seen, key=lambda one: one[:4]):
        start, end = folded.span(begin, stop)
        if any(start < one.end and one.start < end for one in kept):
            continue
        kept.append(
            Finding(
                element=element,
                start=start,
                end=end,
                category=Category.C1,
                likelihood=likelihood_of(proof),
                evidence=proof,
            )
        )
    return sorted(kept, key=lambda one: one.start)
