"""Find personal financial data in a text, with exact offsets and the reasons.

>>> [finding.element.value for finding in detect("联系邮箱a.b@example.com")]
['email']
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import attrgetter

from kuimen.kernels.detection.accelerated import ACCELERATES, ALONE, BESIDE_A_PERSON, recognise_structured
from kuimen.kernels.detection.addresses import recognise_addresses, recognise_firms
from kuimen.kernels.detection.blocks import BAR, Excerpt, excerpts, grouped, starts_of
from kuimen.kernels.detection.evidence import (
    Candidate,
    Evidence,
    EvidenceKind,
    Finding,
    Likelihood,
    likelihood_of,
)
from kuimen.kernels.detection.folding import Folded, fold
from kuimen.kernels.detection.identifiers import (
    recognise_beside_card,
    recognise_chinese_identifiers,
    recognise_credentials,
    recognise_identifiers,
    recognise_mail_and_network,
)
from kuimen.kernels.detection.labelled import LABELLED, recognise_keyed, recognise_labelled
from kuimen.kernels.detection.numbers import recognise_numbers
from kuimen.kernels.detection.persons import recognise_persons_in_many, words_of_lending
from kuimen.kernels.detection.rules import RuleSet, built_in_rules
from kuimen.kernels.elements.model import Category, CombinationRule, Element
from kuimen.kernels.elements.overlay import PRODUCTION, RecognitionTables
from kuimen.kernels.elements.table import COMBINATIONS, rule_of

# Where two candidates share characters and weigh the same, the earlier one here wins: identity before card.
PRECEDENCE = {
    element: rank
    for rank, element in enumerate(
        (
            Element.TRACK_DATA, Element.SECRET_KEY, Element.RESIDENT_ID, Element.OTHER_CERTIFICATE, Element.USCC,
            Element.BANK_CARD, Element.IMEI, Element.MOBILE, Element.EMAIL, Element.PASSPORT, Element.LANDLINE,
            Element.ADDRESS, Element.COMPANY_NAME, Element.PERSON_NAME,
        )
    )
}  # fmt: skip
CHECKED = frozenset(
    {Element.RESIDENT_ID, Element.BANK_CARD, Element.TRACK_DATA, Element.USCC, Element.OTHER_CERTIFICATE, Element.EMAIL}
)
_ENOUGH = 5
_POSSIBLE = 3
_BARE = 2  # the check and the network, no label and no keyword
COMPANIONS = frozenset({Element.RESIDENT_ID, Element.MOBILE, Element.EMAIL, Element.CARD_EXPIRY, Element.CVN2})
_WORD = re.compile(r"[0-9A-Za-z\u3400-\uffff]")
_FEWEST_OF_A_SET = 2
_CATEGORIES = {element: rule_of(element).category for element in Element}
_SETS = {rule.name: Evidence(EvidenceKind.COMBINATION, rule.name, 0) for rule in COMBINATIONS}
_AUXILIARY = frozenset(element for element in Element if rule_of(element).auxiliary)


def detect(
    text: str,
    *,
    elements: Iterable[Element | str] | None = None,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    tables: RecognitionTables = PRODUCTION,
    rules: RuleSet | None = None,
) -> list[Finding]:
    """Return what the text holds, in order of place, without overlaps.

    Args:
        text: any text; lines are judged one by one, a record is a line.
        elements: look for these only; None means all.
        min_likelihood: leave out what is less sure.
        tables: which numbers can exist.
        rules: rules that are data; None means those that come with Kuimen.

    Returns:
        Findings whose `text[start:end]` is the datum as it was written.
    """
    return detect_many([text], elements=elements, min_likelihood=min_likelihood, tables=tables, rules=rules)[0]


def detect_many(
    texts: Sequence[str],
    *,
    elements: Iterable[Element | str] | None = None,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    tables: RecognitionTables = PRODUCTION,
    rules: RuleSet | None = None,
) -> list[list[Finding]]:
    """Return what each text holds, as `detect` does; the texts are read as one block.

    Cost: for lines of a log a tenth of `detect` line by line.
    """
    wanted = frozenset(map(Element, elements)) if elements is not None else _ALL
    look = _Look(wanted, Likelihood(min_likelihood), tables, rules or built_in_rules())
    found: list[list[Finding]] = []
    for together in grouped(texts):
        found += _detect_together(texts[together.start : together.stop], look)
    return found


@dataclass(frozen=True, slots=True)
class _Look:
    """What is looked for."""

    wanted: frozenset[Element]
    least: Likelihood
    tables: RecognitionTables
    rules: RuleSet


def _detect_together(texts: Sequence[str], look: _Look) -> list[list[Finding]]:
    """Return the findings of texts that are laid end to end."""
    folded = fold(BAR.join(texts))
    chinese = excerpts(folded.text, many=len(texts) > 1, apart=words_of_lending)
    candidates = chain(_in_block(folded.text, look), _in_excerpts(chinese, look))
    kept = resolve(with_neighbours(folded.text, candidates), look.least.rank)
    if look.wanted is not _ALL:
        kept = [one for one in kept if one.element in look.wanted]
    return _findings(folded, kept, texts)


_ALL = frozenset(Element)
_NUMBERS = frozenset(
    {
        Element.RESIDENT_ID, Element.OTHER_CERTIFICATE, Element.PASSPORT, Element.MOBILE, Element.LANDLINE,
        Element.BANK_CARD, Element.USCC, Element.IMEI, Element.TRACK_DATA,
    }
)  # fmt: skip
_IDENTIFIERS = frozenset(
    {
        Element.PLATE, Element.IP, Element.MAC, Element.LOCATION, Element.WECHAT,
        Element.OTHER_CERTIFICATE,
    }
)  # fmt: skip


_MAIL_AND_NETWORK = frozenset({Element.EMAIL, Element.IP})
_CREDENTIALS = frozenset({Element.TRACK_DATA, Element.SECRET_KEY})


def _in_block(text: str, look: _Look) -> Iterator[Candidate]:
    """Run the recognisers of any text that can yield what is wanted; each may yield more."""
    wanted, tables = look.wanted, look.tables
    if not wanted.isdisjoint(_NUMBERS | _MAIL_AND_NETWORK):
        numbers = (
            recognise_structured(text, tables, least=look.least.fewest_points)
            if ACCELERATES
            else chain(recognise_numbers(text, tables), recognise_mail_and_network(text))
        )
        for one in numbers:
            yield one
            if one.element is Element.BANK_CARD:
                yield from recognise_beside_card(text, one.end)
    if not wanted.isdisjoint(_IDENTIFIERS):
        yield from recognise_identifiers(text)
    if not wanted.isdisjoint(_CREDENTIALS):
        yield from recognise_credentials(text)
    if not wanted.isdisjoint(LABELLED):
        yield from recognise_keyed(text)
    if not wanted.isdisjoint(look.rules.elements):
        yield from look.rules.recognise(text)


def _in_excerpts(chinese: Sequence[Excerpt], look: _Look) -> Iterator[Candidate]:
    """Run the recognisers of Chinese text."""
    if not chinese:
        return
    wanted, tables = look.wanted, look.tables
    named: Sequence[Sequence[Candidate]] = [()] * len(chinese)
    if Element.PERSON_NAME in wanted:
        named = recognise_persons_in_many([one.text for one in chinese])
    for one, names in zip(chinese, named, strict=True):
        yield from one.restored(names)
        if not wanted.isdisjoint(_IDENTIFIERS):
            yield from one.restored(recognise_chinese_identifiers(one.text, tables))
        if not wanted.isdisjoint(LABELLED):
            yield from one.restored(recognise_labelled(one.text))
        if Element.ADDRESS in wanted:
            yield from one.restored(recognise_addresses(one.text, tables))
        if Element.COMPANY_NAME in wanted:
            yield from one.restored(recognise_firms(one.text))


def with_neighbours(text: str, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Let what only passes the check of a foreign card network count beside data of a person, or alone in its line."""
    found = list(candidates)
    doubtful = [one for one in found if one.element is Element.BANK_CARD and one.points == len(one.evidence) == _BARE]
    if not doubtful:
        return found
    companions = sorted(one.start for one in found if one.element in COMPANIONS and one.points >= _POSSIBLE)
    begin, finish = 0, -1
    for one in sorted(doubtful, key=attrgetter("start")):
        if one.start >= finish:
            begin = text.rfind("\n", 0, one.start) + 1
            finish = text.find("\n", one.end)
            finish = len(text) if finish < 0 else finish
        if bisect_left(companions, begin) < bisect_left(companions, finish):
            one.evidence = (*one.evidence, BESIDE_A_PERSON)
        elif not _WORD.search(text, begin, one.start) and not _WORD.search(text, one.end, finish):
            one.evidence = (*one.evidence, ALONE)
    return found


def resolve(candidates: Iterable[Candidate], least_rank: int) -> list[Candidate]:
    """Drop the unlikely, then let overlapping candidates compete: points, length, precedence."""
    fewest = tuple(Likelihood)[least_rank].fewest_points
    likely = [one for one in candidates if one.points >= fewest]
    likely.sort(key=attrgetter("start"))
    kept: list[Candidate] = []
    first = 0
    while first < len(likely):
        reach, last = likely[first].end, first + 1
        while last < len(likely) and likely[last].start < reach:
            reach = max(reach, likely[last].end)
            last += 1
        kept += likely[first:last] if last == first + 1 else _strongest(likely[first:last])
        first = last
    return kept


def _strongest(rivals: list[Candidate]) -> list[Candidate]:
    """Keep of candidates that share characters the strong ones, in order of place."""
    rivals.sort(key=_strength)
    occupied = _Occupied()
    kept = [one for one in rivals if occupied.claim(one.start, one.end)]
    kept.sort(key=attrgetter("start"))
    return kept


def _strength(candidate: Candidate) -> tuple[int, int, int, int]:
    """Order: checked numbers that are sure enough first, then points, length, precedence."""
    points = candidate.points
    sure = candidate.element in CHECKED and points >= _ENOUGH
    return (
        -(points + (10 if sure else 0)),
        -(candidate.end - candidate.start),
        PRECEDENCE.get(candidate.element, len(PRECEDENCE)),
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


def _findings(folded: Folded, kept: list[Candidate], texts: Sequence[str]) -> list[list[Finding]]:
    """Return what was kept by text, with its places in that text."""
    raised = _raised(folded.text, kept)
    found: list[list[Finding]] = [[] for _ in texts]
    starts = starts_of(texts)
    for position, one in enumerate(kept):
        start, end = (one.start, one.end) if folded.origins is None else folded.span(one.start, one.end)
        evidence, category = one.evidence, _CATEGORIES[one.element]
        if position in raised:
            category, evidence = raised[position].category or category, (*evidence, *raised[position].evidence)
        number = bisect_right(starts, start) - 1
        found[number].append(
            Finding(
                element=one.element,
                start=start - starts[number],
                end=end - starts[number],
                category=category,
                likelihood=_likelihood(one.evidence),
                evidence=evidence,
            )
        )
    return found


@lru_cache(maxsize=8192)
def _likelihood(evidence: tuple[Evidence, ...]) -> Likelihood:
    return likelihood_of(evidence)


@dataclass(frozen=True, slots=True)
class _Raise:
    """What a set of elements in one line adds to a finding: evidence, and a category where it rises."""

    category: Category | None
    evidence: tuple[Evidence, ...]


def _raised(text: str, kept: list[Candidate]) -> dict[int, _Raise]:
    """Return what the sets of elements in each line add to their members."""
    raised: dict[int, _Raise] = {}
    if len(kept) < _FEWEST_OF_A_SET:
        return raised
    first = 0
    while first < len(kept):
        finish = text.find("\n", kept[first].start)
        finish = len(text) if finish < 0 else finish
        last = first + 1
        while last < len(kept) and kept[last].start < finish:
            last += 1
        if last - first >= _FEWEST_OF_A_SET:
            together = frozenset(one.element for one in kept[first:last])
            for rule in _applying(together):
                for position in range(first, last):
                    _raise(raised, position, kept[position].element, rule)
        first = last
    return raised


@lru_cache(maxsize=4096)
def _applying(together: frozenset[Element]) -> tuple[CombinationRule, ...]:
    return tuple(rule for rule in COMBINATIONS if rule.applies_to(together))


def _raise(raised: dict[int, _Raise], position: int, element: Element, rule: CombinationRule) -> None:
    """Add a set to one member: what authenticates rises to C3 beside its account, other sets are named."""
    known = raised.get(position)
    earlier = known.evidence if known else ()
    category = known.category if known else None
    if rule.category is Category.C3:
        if element not in _AUXILIARY:
            return
        category = Category.C3
    elif element not in rule.all_of and not any(element in group for group in rule.any_of):
        return
    raised[position] = _Raise(category, (*earlier, _SETS[rule.name]))
