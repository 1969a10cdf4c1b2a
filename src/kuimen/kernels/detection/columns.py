"""Name the element that a column holds, from its name, comment, type, values and the columns beside it.

Each kind of evidence can decide alone; where they contradict each other the likelihood falls. Values are whole cells:
a share of the sample with a Wilson interval, never one lucky hit, and nothing below one in twenty.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kuimen.kernels.detection.evidence import Evidence, EvidenceKind, Likelihood, likelihood_of
from kuimen.kernels.detection.headings import read_heading, written_in_initials
from kuimen.kernels.detection.profile import ColumnProfile, profile_column
from kuimen.kernels.detection.records import key_of, open_records
from kuimen.kernels.detection.value_evidence import contradiction, value_evidence
from kuimen.kernels.elements.model import Category, CombinationRule, Element
from kuimen.kernels.elements.overlay import PRODUCTION, RecognitionTables
from kuimen.kernels.elements.table import COMBINATIONS, rule_of

_LEAST = Likelihood.POSSIBLE.rank
_MASKED_LEVEL = 2
_STRONG_PIECE = 4  # a term that nearly decides, cells many of which are proven
# Columns whose company makes a doubtful name believable.
_TELLING = frozenset(
    {
        Element.PERSON_NAME, Element.RESIDENT_ID, Element.MOBILE, Element.BANK_CARD, Element.ADDRESS, Element.EMAIL,
        Element.BIRTH_DATE, Element.COMPANY_NAME, Element.MARITAL_STATUS,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSample:
    """One column to be judged.

    Attributes:
        table: name of its table, empty where there is none.
        name: its own name.
        comment: what the schema says about it.
        type: SQL type as the source writes it, empty where unknown.
        values: sampled cells, nulls included, as the driver gives them.
        n_rows: rows of the table, where known.
    """

    table: str = ""
    name: str
    comment: str | None = ""
    type: str | None = ""
    values: Sequence[object] | None = None
    n_rows: int | None = None


@dataclass(frozen=True, slots=True)
class InnerFinding:
    """An element below one key of the records that a text column holds: `contact[].phone`."""

    path: str
    element: Element
    likelihood: Likelihood


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFinding:
    """What a column holds.

    Attributes:
        element: None where nothing personal was recognised.
        category: class of JR/T 0171; C1 where the values are masked already.
        level: level of JR/T 0197, None without an element.
        likelihood: function of `evidence`.
        evidence: rules and counts for the element, or for why there is none.
        secondary: elements inside free text, the gravest class of which decides the category.
        masked: the sampled values are masked already.
        inside: elements by their path, where the cells are JSON or `key=value` records.
        review: name, comment and values contradict each other; a person should look.
    """

    table: str
    name: str
    element: Element | None
    category: Category
    level: int | None
    likelihood: Likelihood
    evidence: tuple[Evidence, ...]
    secondary: tuple[Element, ...] = field(default=())
    masked: bool = False
    inside: tuple[InnerFinding, ...] = field(default=())
    review: bool = False


@dataclass(slots=True)
class _Judgement:
    """One column while it is being judged."""

    sample: ColumnSample
    profile: ColumnProfile
    scores: dict[Element, list[Evidence]]
    remarks: list[Evidence]
    inside: tuple[InnerFinding, ...] = field(default=())

    def contradicts_itself(self) -> bool:
        """Tell whether strong evidence speaks for different elements, or cells deny what the heading names."""
        strong = [
            element
            for element, pieces in self.scores.items()
            if max((piece.points for piece in pieces), default=0) >= _STRONG_PIECE
        ]
        denied = any(
            piece.kind is EvidenceKind.PREVALENCE and piece.points < 0
            for element in strong
            for piece in self.scores[element]
        )
        return denied or len(strong) > 1

    def best(self) -> tuple[Element, list[Evidence]] | None:
        """Return the element with the most points."""
        if not self.scores:
            return None
        return max(self.scores.items(), key=lambda item: (sum(piece.points for piece in item[1]), item[0]))


def classify_columns(columns: Sequence[ColumnSample], tables: RecognitionTables = PRODUCTION) -> list[ColumnFinding]:
    """Judge columns, those of one table together.

    Args:
        columns: in any order; siblings are columns with the same `table`.
        tables: which numbers can exist.

    Returns:
        One finding per column, in the order given.

    Cost: about 140 µs a column by name alone, about 2.5 ms with 200 values.
    """
    initials = _tables_in_initials(columns)
    judgements = [_judge(column, tables, initials=column.table in initials) for column in columns]
    for judgement in judgements:
        judgement.inside = _inside(judgement, tables)
    sure = _telling_by_table(judgements)
    found = [_decide(judgement, sure.get(judgement.sample.table, Counter())) for judgement in judgements]
    return combined(found)


def _inside(judgement: _Judgement, tables: RecognitionTables) -> tuple[InnerFinding, ...]:
    """Open records in the cells and judge each key as a column beside the other keys."""
    if not judgement.profile.is_prose:
        return ()
    opened = open_records(judgement.profile.cells)
    if not opened:
        return ()
    keys = [
        _judge(ColumnSample(table=judgement.sample.table, name=key_of(path), values=values), tables)
        for path, values in opened.items()
    ]
    telling = _telling_by_table(keys).get(judgement.sample.table, Counter())
    found = [(path, _decide(key, telling)) for path, key in zip(opened, keys, strict=True)]
    return tuple(
        InnerFinding(path, one.element, one.likelihood)
        for path, one in found
        if one.element is not None and one.element is not Element.FREE_TEXT
    )


def _tables_in_initials(columns: Sequence[ColumnSample]) -> frozenset[str]:
    """Return the tables whose columns are named by first letters of Chinese words."""
    names: dict[str, list[str]] = {}
    for column in columns:
        names.setdefault(column.table, []).append(column.name)
    return frozenset(table for table, own in names.items() if written_in_initials(own))


def _judge(sample: ColumnSample, tables: RecognitionTables, *, initials: bool = False) -> _Judgement:
    """Collect the evidence of one column by itself."""
    profile = profile_column(sample.values, tables)
    heading = read_heading(sample.table, sample.name, sample.comment or "", sample.type or "", initials=initials)
    scores: dict[Element, list[Evidence]] = {element: list(pieces) for element, pieces in heading.scores.items()}
    for element, pieces in value_evidence(profile).items():
        scores.setdefault(element, list(heading.against_values)).extend(pieces)
    for element, pieces in scores.items():
        against = contradiction(element, profile)
        if against is not None:
            pieces.append(against)
    return _Judgement(sample, profile, scores, list(heading.remarks))


def _telling_by_table(judgements: Sequence[_Judgement]) -> Mapping[str, Counter[Element]]:
    """Count, by table, the elements that their columns prove without their neighbours."""
    telling: dict[str, Counter[Element]] = {}
    for judgement in judgements:
        best = judgement.best()
        if best is not None and best[0] in _TELLING and likelihood_of(best[1]).rank > _LEAST:
            telling.setdefault(judgement.sample.table, Counter())[best[0]] += 1
    return telling


def _decide(judgement: _Judgement, telling: Counter[Element]) -> ColumnFinding:
    for element, pieces in judgement.scores.items():
        others = sum(count for other, count in telling.items() if other is not element)
        if others and max(piece.points for piece in pieces) > 1:
            pieces.append(Evidence(EvidenceKind.SIBLINGS, "columns about a person beside it", 1, f"n={others}"))
    best = judgement.best()
    profile = judgement.profile
    if (
        best is not None
        and likelihood_of(best[1]).rank >= _LEAST
        and not _is_text_around(best, profile, judgement.inside)
    ):
        return _finding(judgement, best[0], best[1])
    if profile.secondary or judgement.inside:
        return _free_text(judgement)
    if best is not None and best[0] is Element.FREE_TEXT and profile.filled and likelihood_of(best[1]).rank >= _LEAST:
        # a heading alone shows that there are sentences, not that they hold anything
        return _finding(judgement, best[0], best[1])
    reasons = best[1] if best is not None else judgement.remarks
    return ColumnFinding(
        table=judgement.sample.table,
        name=judgement.sample.name,
        element=None,
        category=Category.NONE,
        level=None,
        likelihood=likelihood_of(reasons),
        evidence=tuple(reasons),
        review=judgement.contradicts_itself(),
    )


def _is_text_around(
    best: tuple[Element, list[Evidence]], profile: ColumnProfile, inside: tuple[InnerFinding, ...]
) -> bool:
    """Tell whether cells are sentences that hold data of several kinds, whatever the column is called."""
    element = best[0]
    if element is Element.FREE_TEXT:
        return True
    if len(inside) > 1 and profile.share(element) < 0.5 and element not in _LONG:  # noqa: PLR2004 - half the cells
        return True
    return profile.is_prose and bool(profile.secondary) and profile.share(element) < 0.5 and element not in _LONG  # noqa: PLR2004 - half the cells


_LONG = frozenset(
    {Element.ADDRESS, Element.CALL_RECORD, Element.CREDIT_REPORT, Element.COMPANY_NAME, Element.TRACK_DATA}
)


def _finding(judgement: _Judgement, element: Element, pieces: list[Evidence]) -> ColumnFinding:
    rule = rule_of(element)
    profile = judgement.profile
    category, level = rule.category, rule.level
    if profile.masked_share > 0.5 and category is Category.C2:  # noqa: PLR2004 - most cells
        pieces = [*pieces, Evidence(EvidenceKind.MASKED, "cells are masked", 0, f"share={profile.masked_share:.2f}")]
        return ColumnFinding(
            table=judgement.sample.table,
            name=judgement.sample.name,
            element=element,
            category=Category.C1,
            level=_MASKED_LEVEL,
            likelihood=likelihood_of(pieces),
            evidence=tuple(pieces),
            masked=True,
        )
    return ColumnFinding(
        table=judgement.sample.table,
        name=judgement.sample.name,
        element=element,
        category=category,
        level=level,
        likelihood=likelihood_of(pieces),
        evidence=tuple(pieces),
        secondary=tuple(other for other in profile.secondary if other is not element),
        review=judgement.contradicts_itself(),
    )


def _free_text(judgement: _Judgement) -> ColumnFinding:
    """Label a text column by what is inside its cells."""
    profile = judgement.profile
    below = dict.fromkeys(one.element for one in judgement.inside)
    secondary = tuple(dict.fromkeys((*profile.secondary, *below)))
    rules = [rule_of(element) for element in (Element.FREE_TEXT, *secondary)]
    gravest = max(rules, key=lambda rule: rule.level)
    pieces = [
        *judgement.remarks,
        Evidence(
            EvidenceKind.PREVALENCE,
            "cells with personal data inside",
            5 if profile.secondary_share >= 0.2 or below else 3,  # noqa: PLR2004 - one cell in five
            f"{profile.secondary_cells}/{profile.filled}",
        ),
    ]
    if judgement.inside:
        paths = ", ".join(f"{one.path}={one.element}" for one in judgement.inside)
        pieces.append(Evidence(EvidenceKind.FORMAT, "records opened", 0, paths))
    return ColumnFinding(
        table=judgement.sample.table,
        name=judgement.sample.name,
        element=Element.FREE_TEXT,
        category=gravest.category,
        level=gravest.level,
        likelihood=likelihood_of([piece for piece in pieces if piece.points > 0]),
        evidence=tuple(pieces),
        secondary=secondary,
        inside=judgement.inside,
    )


def combined(findings: Sequence[ColumnFinding]) -> list[ColumnFinding]:
    """Weigh the elements of each table together.

    Auxiliary authentication data beside the account that it opens is C3. The four and the nine elements are a matter
    of the whole record: their columns keep their own class and say which set they belong to.
    """
    held: dict[str, set[Element]] = {}
    for finding in findings:
        if finding.element is not None and not finding.masked:
            held.setdefault(finding.table, set()).add(finding.element)
    sets = {
        table: [rule for rule in COMBINATIONS if rule.applies_to(frozenset(elements))]
        for table, elements in held.items()
    }
    return [_in_company(finding, sets.get(finding.table, ())) for finding in findings]


def _in_company(finding: ColumnFinding, rules: Sequence[CombinationRule]) -> ColumnFinding:
    element = finding.element
    if element is None or finding.masked:
        return finding
    for rule in rules:
        if element not in rule.all_of.union(*rule.any_of):
            continue
        said = Evidence(EvidenceKind.COMBINATION, rule.name, 0, f"set is {rule.category} level {rule.level}")
        raised = rule_of(element).auxiliary and rule.category is Category.C3
        finding = replace(
            finding,
            evidence=(*finding.evidence, said),
            category=rule.category if raised else finding.category,
            level=rule.level if raised else finding.level,
        )
    return finding
