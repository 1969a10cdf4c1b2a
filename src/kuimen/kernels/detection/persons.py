"""Names of persons: where the text announces them, and in running text where the tagger of the extra `names` sees them.

Rules that need the language of lending (a role directly before a name) apply to texts that speak of it; elsewhere only
the tagger and what is parted by a colon decide, so that news and letters are read as the tagger reads them.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import chain

from kuimen.kernels.detection.evidence import Candidate, Evidence, EvidenceKind
from kuimen.kernels.detection.literals import Literals
from kuimen.kernels.detection.names import LinguisticRecogniser, Span, installed_recogniser
from kuimen.kernels.detection.names.intervals import Intervals
from kuimen.kernels.detection.names.lexicon import BUSINESS
from kuimen.kernels.detection.names.repair import mended
from kuimen.kernels.detection.names.rules import announced_names, listed_before, listed_names, surname_width
from kuimen.kernels.detection.trie import alternation
from kuimen.kernels.elements.model import Element

_BUSINESS = re.compile(alternation(BUSINESS))
_LITERALS = Literals.ready(BUSINESS)

_SURE, _FAIR = 2.0, 0.0
_SURE_POINTS, _FAIR_POINTS, _LEAST_POINTS = 5, 4, 3


def recognise_persons(text: str, *, recogniser: LinguisticRecogniser | None = None) -> Iterator[Candidate]:
    """Yield names in folded text.

    Args:
        text: one record or more.
        recogniser: looks into running text; None means the one of the extra `names`, where it is installed.
    """
    yield from recognise_persons_in_many([text], recogniser=recogniser)[0]


def recognise_persons_in_many(
    texts: Sequence[str], *, recogniser: LinguisticRecogniser | None = None
) -> list[list[Candidate]]:
    """Return the names of each folded text; the tagger reads all texts in common batches."""
    recogniser = recogniser or installed_recogniser()
    found: list[list[Candidate]] = [[] for _ in texts]
    chosen = [index for index, text in enumerate(texts) if not text.isascii()]
    for index in chosen:
        unparted = recogniser is None or _speaks_of_lending(texts[index])
        found[index].extend(announced_names(texts[index], unparted=unparted))
    if recogniser is not None and chosen:
        settled = [[(one.start, one.end) for one in found[index]] for index in chosen]
        spans = recogniser.find([texts[index] for index in chosen], settled=settled)
        for index, tagged in zip(chosen, spans, strict=True):
            _add_tagged(texts[index], found[index], tagged)
    for index in chosen:
        _add_listed(texts[index], found[index])
    return found


def _speaks_of_lending(text: str) -> bool:
    """Tell whether a text uses the language of lending, so that its roles are taken at their word."""
    return _BUSINESS.search(text) is not None


def words_of_lending(text: str) -> list[int]:
    """Return the places of such words."""
    return [match.start() for match in _BUSINESS.finditer(text)] if _LITERALS is None else _LITERALS.places(text)


def _add_tagged(text: str, candidates: list[Candidate], spans: Sequence[Span]) -> None:
    taken = Intervals((one.start, one.end) for one in candidates)
    for span in mended(text, spans):
        if not taken.touches(span.start, span.end):
            taken.add(span.start, span.end)
            candidates.append(Candidate(Element.PERSON_NAME, span.start, span.end, _tagged_evidence(text, span)))


def _tagged_evidence(text: str, span: Span) -> tuple[Evidence, ...]:
    points = _SURE_POINTS if span.margin >= _SURE else _FAIR_POINTS if span.margin >= _FAIR else _LEAST_POINTS
    pieces = [Evidence(EvidenceKind.MODEL, "name tagger", points, f"margin={span.margin:.1f}")]
    if surname_width(text, span.start):
        pieces.append(Evidence(EvidenceKind.TABLE, "surname", 1))
    return tuple(pieces)


def _add_listed(text: str, candidates: list[Candidate]) -> None:
    """Add what stands in one list with a name and looks like one."""
    if not candidates:
        return
    taken = Intervals((one.start, one.end) for one in candidates)
    for named in list(candidates):
        for start, end in chain(listed_names(text, named.end), listed_before(text, named.start)):
            if taken.touches(start, end):
                continue
            pieces = (
                Evidence(EvidenceKind.CONTEXT_LEFT, "in a list with a name", 2),
                Evidence(EvidenceKind.TABLE, "surname", 2),
            )
            taken.add(start, end)
            candidates.append(Candidate(Element.PERSON_NAME, start, end, pieces))
