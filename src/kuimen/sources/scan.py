"""Find personal financial data in a source: one row per column, or per element of a text file. Never a value."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kuimen.foundation.errors import KuimenError
from kuimen.kernels.detection import ColumnFinding, ColumnSample, Likelihood, classify_columns
from kuimen.kernels.detection.rules import RuleSet
from kuimen.kernels.elements import Category, Element, Storage, rule_of
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.errors import SourceLocationError
from kuimen.sources.folder import FolderSource
from kuimen.sources.marks import CUSTOMER_REF, MASKED_VIEW, is_own_column, sealed_mark
from kuimen.sources.opening import open_source
from kuimen.sources.overlays import tables_of
from kuimen.sources.postgresql import PostgresSource
from kuimen.sources.prose import embedded_elements
from kuimen.sources.relations import ColumnInfo, Problem, RelationInfo, RelationKind, Sample, Source

CLEAR, SEALED, DISSOCIATED, NOT_READ = "clear", "sealed", "dissociated", "not_read"
_NAMED_ONLY = frozenset({RelationKind.VIEW, RelationKind.FOREIGN, RelationKind.UNREAD})
_TEXTS = frozenset({RelationKind.LOG, RelationKind.DOCUMENT, RelationKind.PDF, RelationKind.IMAGE})
_PLACES = {
    RelationKind.LOG: "line",
    RelationKind.DOCUMENT: "paragraph",
    RelationKind.PDF: "page",
    RelationKind.IMAGE: "frame",
}

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRow:
    """What a scan says about one column, one element of a text file, or one thing it did not read.

    Attributes:
        source: safe label of the source.
        schema, table, column: place in a database; `column` alone for a table file.
        file: path below the scanned folder.
        element: name of the data element, None where the values are not personal.
        rows: rows (lines) of the relation, -1 unknown; for text files the number of hits is in `hits`.
        sampled: rows (lines) looked at.
        state: clear, sealed, dissociated or not_read.
        hits: occurrences of the element in a text file.
        first_lines: numbers of the first lines with the element.
        reason: why something was not read.
        masked: the values are masked already; what is left of them needs no sealing.
        replaces: for a reference column, the name of the clear column it stands for.
        partial: parts of this relation could not be read; rows of their own say which and why.
        missed: data of this source stays unread here; a view or an empty file misses nothing.
        review: name, comment and values of the column contradict each other; a person should look.
    """

    source: str
    schema: str | None = None
    table: str | None = None
    column: str | None = None
    file: str | None = None
    type: str = ""
    element: str | None = None
    category: str | None = None
    level: int | None = None
    likelihood: str | None = None
    rows: int = 0
    sampled: int = 0
    state: str = CLEAR
    secondary: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    hits: int = 0
    first_lines: tuple[int, ...] = ()
    reason: str | None = None
    replaces: str | None = None
    masked: bool = False
    partial: bool = False
    missed: bool = False
    review: bool = False

    def as_json(self) -> dict[str, object]:
        """Return the public form, one object a line of `kuimen scan --json`."""
        shown: dict[str, object] = {"source": self.source}
        if self.file is None:
            shown |= {"schema": self.schema, "table": self.table, "column": self.column}
        else:
            shown |= {"file": self.file, "column": self.column}
        shown |= {
            "element": self.element,
            "category": self.category,
            "level": self.level,
            "likelihood": self.likelihood,
            "rows": self.rows,
            "sampled": self.sampled,
            "state": self.state,
            "evidence": list(self.evidence),
        }
        if self.secondary:
            shown["secondary"] = list(self.secondary)
        if self.masked:
            shown["masked"] = True
        if self.partial:
            shown["partial"] = True
        if self.missed:
            shown["missed"] = True
        if self.replaces is not None:
            shown["replaces"] = self.replaces
        if self.first_lines:
            shown |= {"hits": self.hits, "first_lines": list(self.first_lines)}
        if self.reason is not None:
            shown["reason"] = self.reason
        return shown


def scan_source(
    location: str,
    *,
    overlay: str | None = None,
    rules: RuleSet | None = None,
    sample_rows: int = 500,
    credentials_file: Path | None = None,
    progress: Progress | None = None,
) -> Iterator[ScanRow]:
    """Scan a database, folder or file, relation by relation.

    Args:
        location: PostgreSQL address or path.
        overlay: name of additional recognition tables, `fictitious` or None.
        rules: rules for text that are data; None means those that come with Kuimen.
        sample_rows: non-null values per column to look at; 0 < n.
        credentials_file: user and password of a database.
        progress: called with (relations done, relations in all, name of the next).

    Raises:
        SourceLocationError: no such address, path or overlay.
        SourceUnavailableError: the database does not answer.
    """
    with open_source(location, credentials_file=credentials_file) as source:
        yield from scan_open(source, overlay=overlay, rules=rules, sample_rows=sample_rows, progress=progress)


def scan_open(
    source: Source,
    *,
    overlay: str | None = None,
    rules: RuleSet | None = None,
    sample_rows: int = 500,
    progress: Progress | None = None,
    only: Callable[[RelationInfo], bool] | None = None,
) -> Iterator[ScanRow]:
    """Scan an open source; `only` restricts it to some relations. Errors as in `scan_source`."""
    if sample_rows < 1:
        raise SourceLocationError("sample_rows: must be at least 1")
    look = _Look(tables=tables_of(overlay), rules=rules, sample_rows=sample_rows)
    relations = [relation for relation in source.describe() if only is None or only(relation)]
    for done, relation in enumerate(relations):
        if progress is not None:
            progress(done, len(relations), relation.name)
        try:
            yield from _scan_relation(source, relation, look)
        except KuimenError as error:
            yield replace(_place(source, relation), state=NOT_READ, reason=str(error), missed=True)
    if isinstance(source, PostgresSource) and only is None:
        for note in source.notes():
            yield ScanRow(source=source.label, state=NOT_READ, reason=note, missed=True)
    if progress is not None:
        progress(len(relations), len(relations), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How a scan looks at what it reads."""

    tables: RecognitionTables
    rules: RuleSet | None
    sample_rows: int


def _place(source: Source, relation: RelationInfo) -> ScanRow:
    if relation.is_file:
        return ScanRow(source=source.label, file=relation.name)
    return ScanRow(source=source.label, schema=relation.schema, table=relation.name)


def _scan_relation(source: Source, relation: RelationInfo, look: _Look) -> list[ScanRow]:
    place = _place(source, relation)
    if relation.kind is RelationKind.VIEW and relation.comment == MASKED_VIEW:
        return []
    if relation.kind in _NAMED_ONLY:
        return [replace(place, state=NOT_READ, reason=relation.reason, missed=relation.missed)]
    if relation.kind in _TEXTS:
        assert isinstance(source, FolderSource)
        return _scan_text(source, relation, place, look)
    sample = source.sample(relation, look.sample_rows)
    columns = relation.columns
    if not columns or relation.kind is RelationKind.PARQUET:  # parts of nested values are known from the sample alone
        known = {column.name for column in columns}
        columns += tuple(ColumnInfo(name=name, type="text") for name in sample.values if name not in known)
    readable = [column for column in columns if column.name in sample.values]
    findings = {finding.name: finding for finding in _classify(relation, readable, sample, look)}
    rows = [
        _opened_prose(_column_row(place, column, findings.get(column.name), sample), sample, look)
        for column in columns
        if column.name in sample.values
    ]
    rows += [
        replace(
            place,
            column=column.name,
            type=column.type,
            state=NOT_READ,
            reason="permission: column not readable",
            missed=True,
        )
        for column in columns
        if column.name not in sample.values
    ]
    return _dissociated(relation, _with_problems(place, rows, sample.problems))


def _with_problems(place: ScanRow, rows: list[ScanRow], problems: Sequence[Problem]) -> list[ScanRow]:
    """Mark rows as partial where parts of their relation could not be read, and name those parts."""
    if not problems:
        return rows
    named = [replace(place, state=NOT_READ, reason=problem.reason, missed=True) for problem in problems]
    return [replace(row, partial=True) for row in rows] + named


def is_partial(rows: Iterable[ScanRow]) -> bool:
    """Tell whether a scan left data unread that it should have read."""
    return any(row.partial or row.missed for row in rows)


def _classify(
    relation: RelationInfo, columns: Sequence[ColumnInfo], sample: Sample, look: _Look
) -> list[ColumnFinding]:
    own = [column for column in columns if not is_own_column(column.comment)]
    samples = [
        ColumnSample(
            table=relation.name,
            name=column.name,
            comment=column.comment or "",
            type=column.type,
            values=sample.values[column.name],
            n_rows=sample.rows,
        )
        for column in own
    ]
    return list(classify_columns(samples, tables=look.tables)) if samples else []


def _column_row(place: ScanRow, column: ColumnInfo, finding: ColumnFinding | None, sample: Sample) -> ScanRow:
    row = replace(place, column=column.name, type=column.type, rows=sample.rows, sampled=sample.sampled)
    mark = sealed_mark(column.comment)
    if mark is not None:
        rule = rule_of(Element(mark.element))
        return replace(
            row,
            element=mark.element,
            replaces=mark.column,
            category=str(rule.category),
            level=rule.level,
            likelihood=str(Likelihood.VERY_LIKELY),
            state=SEALED,
            evidence=("reference column of the vault",),
        )
    blank = _is_blanked(sample.values[column.name])
    if finding is None or finding.element is None:
        category = Category.NONE if finding is None else finding.category
        review = finding is not None and finding.review
        level = None if finding is None else finding.level
        return replace(row, category=str(category), level=level, masked=blank, review=review)
    return replace(
        row,
        element=str(finding.element),
        category=str(finding.category),
        level=finding.level,
        likelihood=str(finding.likelihood),
        secondary=tuple(str(element) for element in finding.secondary),
        evidence=tuple(str(item) for item in finding.evidence),
        masked=finding.masked or blank,
        review=finding.review,
    )


def _is_blanked(values: Sequence[str]) -> bool:
    """Tell whether every filled cell is nothing but a mask."""
    filled = [text for value in values if (text := value.strip())]
    return bool(filled) and all(not text.strip("*") for text in filled)


def _opened_prose(row: ScanRow, sample: Sample, look: _Look) -> ScanRow:
    """Look into running text that is nothing as a whole: one phone number inside makes the text worth sealing."""
    if row.element is not None or row.column is None or row.replaces is not None or not _is_text(row.type):
        return row
    inside = embedded_elements(sample.values[row.column], tables=look.tables, rules=look.rules)
    if not inside:
        return row
    rules = [rule_of(Element(name)) for name in (Element.FREE_TEXT, *inside)]
    gravest = max(rules, key=lambda rule: (rule.level, rule.category is Category.C3))
    return replace(
        row,
        element=Element.FREE_TEXT.value,
        category=str(gravest.category),
        level=gravest.level,
        likelihood=str(Likelihood.LIKELY),
        secondary=tuple(inside),
        evidence=tuple(f"{hits} cells hold {name} inside text" for name, hits in inside.items()),
    )


def _is_text(type_name: str) -> bool:
    return type_name.startswith(("text", "character", "json", "citext", "xml", "bytea")) or type_name.endswith("[]")


def _dissociated(relation: RelationInfo, rows: list[ScanRow]) -> list[ScanRow]:
    """Loan facts whose table names its person by reference alone are dissociated, not clear."""
    if not any(column.comment == CUSTOMER_REF for column in relation.columns):
        return rows
    personal = [row for row in rows if row.element is not None and row.state == CLEAR]
    if any(rule_of(Element(row.element)).storage is not Storage.DISSOCIATE for row in personal if row.element):
        return rows
    return [replace(row, state=DISSOCIATED) if row in personal else row for row in rows]


def _scan_text(source: FolderSource, relation: RelationInfo, place: ScanRow, look: _Look) -> list[ScanRow]:
    found = source.find(relation, tables=look.tables, rules=look.rules)
    unit = _PLACES[relation.kind]
    place = replace(place, rows=found.lines, sampled=found.lines, type=relation.kind.value.removesuffix(" file"))
    rows = [
        replace(
            place,
            element=hit.element,
            category=hit.category,
            level=rule_of(Element(hit.element)).level,
            likelihood=hit.likelihood,
            hits=hit.count,
            first_lines=hit.first_lines,
            evidence=(f"{hit.count} hits, first at {unit} {hit.first_lines[0]}",),
        )
        for hit in found.hits
    ]
    return _with_problems(place, rows or [replace(place, category=str(Category.NONE))], found.problems)
