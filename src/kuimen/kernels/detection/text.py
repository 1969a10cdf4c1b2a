"""Find personal financial data in a text, with exact offsets and the reasons.

>>> [finding.element.value for finding in detect("联系邮箱a.b@example.com")]
['email']
"""

import re
from collections.abc import Collection, Iterable, Iterator

from kuimen.kernels.detection.addresses import recognise_addresses, recognise_firms
from kuimen.kernels.detection.evidence import (
    Candidate,
    Evidence,
    EvidenceKind,
    Finding,
    Likelihood,
    likelihood_of,
)
from kuimen.kernels.detection.folding import Folded, fold
from kuimen.kernels.detection.identifiers import recognise_credentials, recognise_identifiers
from kuimen.kernels.detection.labelled import LABELLED, recognise_labelled
from kuimen.kernels.detection.numbers import recognise_numbers
from kuimen.kernels.detection.persons import recognise_persons
from kuimen.kernels.elements.model import Category, Element
from kuimen.kernels.elements.overlay import PRODUCTION, RecognitionTables
from kuimen.kernels.elements.table import COMBINATIONS, rule_of

# Where two candidates share characters and weigh the same, the earlier one here wins: identity before card.
_PRECEDENCE = {
    element: rank
    for rank, element in enumerate(
        (
            Element.TRACK_DATA, Element.SECRET_KEY, Element.RESIDENT_ID, Element.OTHER_CERTIFICATE, Element.USCC,
            Element.BANK_CARD, Element.IMEI, Element.MOBILE, Element.EMAIL, Element.PASSPORT, Element.LANDLINE,
            Element.ADDRESS, Element.COMPANY_NAME, Element.PERSON_NAME,
        )
    )
}  # fmt: skip
_CHECKED = frozenset(
    {Element.RESIDENT_ID, Element.BANK_CARD, Element.TRACK_DATA, Element.USCC, Element.OTHER_CERTIFICATE, Element.EMAIL}
)
_ENOUGH = 5
_POSSIBLE = 3
_UNSUPPORTED = 2  # the check and the network, no label and no keyword
_COMPANIONS = frozenset({Element.RESIDENT_ID, Element.MOBILE, Element.EMAIL})
_WORD = re.compile(r"[0-9A-Za-z\u3400-\uffff]")
BESIDE_A_PERSON = Evidence(EvidenceKind.SIBLINGS, "data of a person in the record", 1)
ALONE = Evidence(EvidenceKind.FORMAT, "nothing else in the line", 1)
_AUXILIARY = frozenset(element for element in Element if rule_of(element).auxiliary)


def detect(
    text: str,
    *,
    elements: Iterable[Element | str] | None = None,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    tables: RecognitionTables = PRODUCTION,
) -> list[Finding]:
    """Return what the text holds, in order of place, without overlaps.

    Args:
        text: any text; lines are judged one by one, a record is a line.
        elements: look for these only; None means all.
        min_likelihood: leave out what is less sure.
        tables: which numbers can exist.

    Returns:
        Findings whose `text[start:end]` is the datum as it was written.
    """
    wanted = frozenset(map(Element, elements)) if elements is not None else None
    least = Likelihood(min_likelihood).rank
    folded = fold(text)
    kept = resolve(with_neighbours(folded.text, _candidates(folded.text, tables, wanted)), least)
    return _findings(folded, kept)


_ALL = frozenset(Element)
_NUMBERS = frozenset(
    {
        Element.RESIDENT_ID, Element.OTHER_CERTIFICATE, Element.PASSPORT, Element.MOBILE, Element.LANDLINE,
        Element.BANK_CARD, Element.USCC, Element.IMEI, Element.TRACK_DATA,
    }
)  # fmt: skip
_IDENTIFIERS = frozenset(
    {
        Element.EMAIL, Element.PLATE, Element.IP, Element.MAC, Element.LOCATION, Element.WECHAT,
        Element.OTHER_CERTIFICATE,
    }
)  # fmt: skip


_CREDENTIALS = frozenset({Element.TRACK_DATA, Element.SECRET_KEY})


def _candidates(text: str, tables: RecognitionTables, wanted: Collection[Element] | None) -> Iterator[Candidate]:
    """Run the recognisers that can yield what is wanted."""
    if wanted is None:
        for stream in _streams(text, tables, _ALL):
            yield from stream
        return
    for stream in _streams(text, tables, frozenset(wanted)):
        yield from (candidate for candidate in stream if candidate.element in wanted)


def _streams(text: str, tables: RecognitionTables, wanted: frozenset[Element]) -> Iterator[Iterator[Candidate]]:
    if not wanted.isdisjoint(_NUMBERS):
        yield recognise_numbers(text, tables)
    if not wanted.isdisjoint(_IDENTIFIERS):
        yield recognise_identifiers(text, tables)
    if not wanted.isdisjoint(_CREDENTIALS):
        yield recognise_credentials(text)
    if not wanted.isdisjoint(LABELLED):
        yield recognise_labelled(text)
    if text.isascii():
        return
    if Element.PERSON_NAME in wanted:
        yield recognise_persons(text)
    if Element.ADDRESS in wanted:
        yield recognise_addresses(text, tables)
    if Element.COMPANY_NAME in wanted:
        yield recognise_firms(text)


def with_neighbours(text: str, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Let what only passes the check of a foreign card network count beside data of a person, or alone in its line."""
    found = list(candidates)
    for one in found:
        if one.element is Element.BANK_CARD and one.points == _UNSUPPORTED and len(one.evidence) == _UNSUPPORTED:
            begin = text.rfind("\n", 0, one.start) + 1
            finish = text.find("\n", one.end)
            finish = len(text) if finish < 0 else finish
            if any(
                other.element in _COMPANIONS and begin <= other.start < finish and other.points >= _POSSIBLE
                for other in found
            ):
                one.evidence = (*one.evidence, BESIDE_A_PERSON)
            elif not _WORD.search(text, begin, one.start) and not _WORD.search(text, one.end, finish):
                one.evidence = (*one.evidence, ALONE)
    return found


def resolve(candidates: Iterable[Candidate], least_rank: int) -> list[Candidate]:
    """Drop the unlikely, then let overlapping candidates compete: points, length, precedence."""
    likely = [one for one in candidates if likelihood_of(one.evidence).rank >= least_rank]
    likely.sort(key=_strength)
    occupied = _Occupied()
    kept = [one for one in likely if occupied.claim(one.start, one.end)]
    kept.sort(key=lambda one: one.start)
    return kept


def _strength(candidate: Candidate) -> tuple[int, int, int, int]:
    """Order: checked numbers that are sure enough first, then points, length, precedence."""
    points = candidate.points
    sure = candidate.element in _CHECKED and points >= _ENOUGH
    return (
        -(points + (10 if sure else 0)),
        -(candidate.end - candidate.start),
        _PRECEDENCE.get(candidate.element, len(_PRECEDENCE)),
        candidate.start,
    )


class _Occupied:
    """Spans already given away, kept by blocks of characters so that a long text stays linear."""

    __slots__ = ("_blocks",)
    _SHIFT = 8

    def __init__(self) -> None:
        self._blocks: dict[int, list[tuple[int, int]]] = {}

    def claim(self, start: int, end: int) -> bool:
        """Take a span unless part of it is taken."""
        blocks = range(start >> self._SHIFT, ((end - 1) >> self._SHIFT) + 1)
        for block in blocks:
            for left, right in self._blocks.get(block, ()):
                if start < right and left < end:
                    return False
        for block in blocks:
            self._blocks.setdefault(block, []).append((start, end))
        return True


def _findings(folded: Folded, kept: list[Candidate]) -> list[Finding]:
    raised = _raised(folded.text, kept)
    findings = []
    for position, one in enumerate(kept):
        start, end = folded.span(one.start, one.end)
        rule = rule_of(one.element)
        evidence = one.evidence
        category = rule.category
        if position in raised:
            category = Category.C3
            evidence = (*evidence, Evidence(EvidenceKind.COMBINATION, raised[position], 0))
        findings.append(
            Finding(
                element=one.element,
                start=start,
                end=end,
                category=category,
                likelihood=likelihood_of(one.evidence),
                evidence=evidence,
            )
        )
    return findings


def _raised(text: str, kept: list[Candidate]) -> dict[int, str]:
    """Name the auxiliary authentication data that stand in one line with the account they open."""
    positions = [index for index, one in enumerate(kept) if one.element in _AUXILIARY]
    raised: dict[int, str] = {}
    for index in positions:
        one = kept[index]
        begin = text.rfind("\n", 0, one.start) + 1
        finish = text.find("\n", one.end)
        finish = len(text) if finish < 0 else finish
        together = frozenset(other.element for other in kept if begin <= other.start < finish)
        for rule in COMBINATIONS:
            if rule.category is Category.C3 and rule.applies_to(together):
                raised[index] = rule.name
    return raised
