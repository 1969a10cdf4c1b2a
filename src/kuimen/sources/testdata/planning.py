"""What is made of every column: decided from the scan, the declared keys, and what somebody says otherwise."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from kuimen.kernels.elements import Element
from kuimen.kernels.fabrication import ColumnSpec, Kind, NoGeneratorError, TableSpec, Treatment, treatment_for
from kuimen.sources.relations import ColumnInfo, RelationInfo, RelationKind
from kuimen.sources.scan import NOT_READ, SEALED, ScanRow
from kuimen.sources.testdata.errors import TestDataPlanError

MADE_KINDS: Final = frozenset({RelationKind.TABLE, RelationKind.PARTITIONED, RelationKind.CSV})
_KEYLIKE = re.compile(r"(^|_)(id|no|key|uuid|编号)$|编号$|号码?$", re.IGNORECASE)
_PERSON_KEYLIKE = re.compile(r"cust|client|user|member|person|borrower|debtor|acct|kh|客户|用户", re.IGNORECASE)
_CONTACT = re.compile(
    r"contact|emerg|lxr|lxdh|lianxi|spouse|guarant|relative|联系人|紧急|配偶|担保|亲属", re.IGNORECASE
)
_OF_PEOPLE: Final = frozenset(
    {
        Element.PERSON_NAME, Element.RESIDENT_ID, Element.PASSPORT, Element.OTHER_CERTIFICATE, Element.MOBILE,
        Element.LANDLINE, Element.EMAIL, Element.ADDRESS, Element.SEX, Element.BIRTH_DATE, Element.OCCUPATION,
        Element.COMPANY_NAME, Element.WECHAT, Element.QQ,
    }
)  # fmt: skip
_NAMING: Final = frozenset({Element.RESIDENT_ID, Element.PASSPORT, Element.OTHER_CERTIFICATE})
_ANSWERING: Final = frozenset({*_NAMING, Element.PERSON_NAME, Element.MOBILE, Element.BANK_CARD})
_LENGTH = re.compile(r"\((\d+)(?:,(\d+))?\)")
_TYPES: Final[Sequence[tuple[str, Kind]]] = (
    ("smallint", Kind.INTEGER), ("integer", Kind.INTEGER), ("bigint", Kind.INTEGER), ("numeric", Kind.NUMBER),
    ("real", Kind.NUMBER), ("double", Kind.NUMBER), ("money", Kind.OTHER), ("date", Kind.DATE),
    ("timestamp", Kind.TIMESTAMP), ("boolean", Kind.BOOLEAN), ("uuid", Kind.UUID), ("json", Kind.JSON),
    ("bytea", Kind.BYTES), ("character", Kind.TEXT), ("text", Kind.TEXT), ("citext", Kind.TEXT), ("name", Kind.TEXT),
    ("inet", Kind.TEXT), ("macaddr", Kind.TEXT), ("cidr", Kind.OTHER),
)  # fmt: skip

Place = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTable:
    """One table, what is made of each of its columns, and how many rows it is thought to have."""

    relation: RelationInfo
    spec: TableSpec
    rows: int

    @property
    def name(self) -> str:
        """Return its name as people read it."""
        return table_name(self.relation)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDataPlan:
    """What will be made, in the order in which persons become known.

    Attributes:
        blockers: why nothing is made: place and reason; empty when it may go on.
        notes: what is left out, and what somebody should look at.
    """

    __test__ = False

    label: str
    tables: tuple[PlannedTable, ...]
    blockers: tuple[str, ...]
    notes: tuple[str, ...]

    def require_free(self) -> None:
        """Refuse a plan with blockers.

        Raises:
            TestDataPlanError: naming them.
        """
        if self.blockers:
            raise TestDataPlanError("plan: " + "; ".join(self.blockers[:20]))


def table_name(relation: RelationInfo) -> str:
    """Return schema and name of a table, or the name of a file."""
    return relation.name if relation.schema is None else f"{relation.schema}.{relation.name}"


def kind_of(column: ColumnInfo, *, enums: Iterable[str] = ()) -> Kind:
    """Return what a column's type takes."""
    if column.type.endswith("[]"):
        return Kind.ARRAY
    if column.type in set(enums):
        return Kind.ENUM
    found = next((kind for prefix, kind in _TYPES if column.type.startswith(prefix)), Kind.OTHER)
    length = _LENGTH.search(column.type)
    whole = found is Kind.NUMBER and length is not None and not int(length.group(2) or 0)
    return Kind.INTEGER if whole else found


def longest_of(column: ColumnInfo) -> int | None:
    """Return how many signs a type takes, None for any number."""
    if column.type.startswith("bigint"):
        return 18
    if column.type.startswith("integer"):
        return 9
    length = _LENGTH.search(column.type)
    if length is None or column.type.startswith(("timestamp", "time")) or int(length.group(2) or 0):
        return None
    return int(length.group(1))


def build_plan(
    label: str,
    relations: Sequence[RelationInfo],
    rows: Sequence[ScanRow],
    *,
    chosen: Mapping[str, str] | None = None,
    enums: Iterable[str] = (),
) -> TestDataPlan:
    """Decide about every column.

    Args:
        label: name of the source.
        relations: its tables and files.
        rows: what the scan said of them.
        chosen: by ``table.column`` or ``column``, the name of a treatment or of an element.
        enums: types that are enumerations.

    Raises:
        TestDataPlanError: a named treatment does not exist, or its column does not.
    """
    return _Planner(relations, rows, chosen or {}, tuple(enums)).plan(label)


@dataclass(slots=True)
class _Planner:
    relations: Sequence[RelationInfo]
    rows: Sequence[ScanRow]
    chosen: Mapping[str, str]
    enums: tuple[str, ...]
    blockers: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def plan(self, label: str) -> TestDataPlan:
        made = [one for one in self.relations if one.kind in MADE_KINDS]
        names = {table_name(one) for one in made}
        said = {(_table_of(row), row.column or ""): row for row in self.rows}
        self._name_what_is_left_out(names)
        domains = _domains(made)
        specs = {
            table_name(one): [
                spec
                for column in one.columns
                if not column.generated and (spec := self._column(one, column, said, domains)) is not None
            ]
            for one in made
        }
        if unknown := sorted(set(self.chosen) - self.used):
            raise TestDataPlanError(f"set: no column {', '.join(unknown)}; write table.column as the plan does")
        specs = _agreed(specs, domains)
        personal = _personal_domains(made, specs)
        counted = {_table_of(row): row.rows for row in self.rows if row.column}
        tables = [
            PlannedTable(
                relation=one,
                spec=TableSpec(
                    name=table_name(one),
                    columns=tuple(
                        replace(spec, person_key=spec.treatment is Treatment.KEY and spec.domain in personal)
                        for spec in specs[table_name(one)]
                    ),
                ),
                rows=counted.get(table_name(one), one.approx_rows),
            )
            for one in made
        ]
        if not tables and not self.blockers:
            self.blockers.append("source: no table and no CSV file in it")
        return TestDataPlan(
            label=label,
            tables=tuple(_in_order(tables)),
            blockers=tuple(self.blockers),
            notes=tuple(self.notes),
        )

    def _name_what_is_left_out(self, made: set[str]) -> None:
        for row in self.rows:
            place = _table_of(row)
            if row.state == NOT_READ and row.missed and place in made:
                self.blockers.append(f"{place}.{row.column or '*'}: not read ({row.reason})")
            elif row.review and row.column:
                self.notes.append(f"{place}.{row.column}: the scan is in doubt; look at it")
        for one in self.relations:
            if one.kind not in MADE_KINDS:
                self.notes.append(f"{table_name(one)}: {one.kind.value}, not made")

    def _column(
        self,
        relation: RelationInfo,
        column: ColumnInfo,
        said: Mapping[Place, ScanRow],
        domains: Mapping[Place, str],
    ) -> ColumnSpec | None:
        place = (table_name(relation), column.name)
        row = said.get(place)
        kind = kind_of(column, enums=self.enums) if not relation.is_file else Kind.TEXT
        element = Element(row.element) if row is not None and row.element else None
        wanted = self._wanted(place)
        if wanted in set(Element):
            element, wanted = Element(str(wanted)), None
        spec = ColumnSpec(
            name=column.name,
            treatment=Treatment.FACT,
            kind=kind,
            element=element,
            longest=None if relation.is_file else longest_of(column),
            contact=_is_contact(relation, column, element),
            domain=domains.get(place, ""),
        )
        if wanted is not None:
            return replace(spec, treatment=Treatment(wanted), domain=spec.domain or ".".join(place))
        if row is None:
            self.blockers.append(f"{'.'.join(place)}: the scan says nothing of it; scan again")
            return None
        return self._treated(spec, place, row=row, column=column)

    def _treated(  # noqa: C901, PLR0911 - one line a reason
        self, spec: ColumnSpec, place: Place, *, row: ScanRow, column: ColumnInfo
    ) -> ColumnSpec:
        if row.state == SEALED:  # a reference of the vault
            return replace(spec, treatment=Treatment.KEY, element=None, domain=spec.domain or ".".join(place))
        if row.masked and spec.element is not None:
            return replace(spec, treatment=Treatment.CODE)
        if spec.element is not None:
            try:
                treatment = treatment_for(spec.element)
            except NoGeneratorError as error:
                self.blockers.append(f"{'.'.join(place)}: {error}")
                return spec
            if spec.domain and treatment is not Treatment.IDENTIFIER and spec.kind is not Kind.DATE:
                return replace(spec, treatment=Treatment.KEY, element=None)
            if spec.kind in {Kind.JSON, Kind.ARRAY, Kind.BYTES} and treatment is not Treatment.PICTURE:
                treatment = Treatment.SENTENCE
            return replace(spec, treatment=treatment)
        if spec.domain and spec.kind in {Kind.TEXT, Kind.INTEGER, Kind.UUID, Kind.NUMBER}:
            return replace(spec, treatment=Treatment.KEY)
        if column.type.startswith(("inet", "macaddr")):
            named = Element.IP if column.type.startswith("inet") else Element.MAC
            return replace(spec, treatment=Treatment.IDENTIFIER, element=named)
        if spec.kind is Kind.UUID:
            return replace(spec, treatment=Treatment.KEY, domain=".".join(place))
        if spec.kind is Kind.OTHER:
            if not column.nullable:
                self.blockers.append(f"{'.'.join(place)}: nothing is made of type {column.type}; name a treatment")
            return replace(spec, treatment=Treatment.EMPTY)
        return spec

    def _wanted(self, place: Place) -> str | None:
        for name in (".".join(place), place[0].rpartition(".")[2] + "." + place[1], place[1]):
            if name in self.chosen:
                self.used.add(name)
                wanted = self.chosen[name]
                if wanted not in {*Treatment, *Element} or wanted == Treatment.IDENTIFIER:
                    raise TestDataPlanError(f"set {name}: name a treatment or an element, {', '.join(Treatment)}")
                return wanted
        return None


def _table_of(row: ScanRow) -> str:
    return row.file or ".".join(part for part in (row.schema, row.table) if part)


def _is_contact(relation: RelationInfo, column: ColumnInfo, element: Element | None) -> bool:
    if element not in _OF_PEOPLE:
        return False
    words = " ".join((relation.name, relation.comment or "", column.name, column.comment or ""))
    return bool(_CONTACT.search(words))


def _domains(relations: Sequence[RelationInfo]) -> dict[Place, str]:
    """Return, for every key column, the name of the set of columns that find each other."""
    links = _Links()
    shared = Counter(column.name for one in relations if one.is_file for column in one.columns)
    for one in relations:
        own = table_name(one)
        for key in one.unique_keys:
            for name in key.columns:
                links.root((own, name))
        for link in one.foreign_keys:
            for name, target in zip(link.columns, link.target_columns, strict=True):
                links.join((own, name), (f"{link.target_schema}.{link.target_table}", target))
        for column in one.columns if one.is_file else ():
            if _KEYLIKE.search(column.name):
                links.root((own, column.name))
                if shared[column.name] > 1 and column.name.casefold() != "id":
                    links.join((own, column.name), ("*", column.name))
    return links.names()


class _Links:
    """Columns that find each other, directly or over others."""

    def __init__(self) -> None:
        self._parent: dict[Place, Place] = {}

    def root(self, place: Place) -> Place:
        self._parent.setdefault(place, place)
        while self._parent[place] != place:
            place = self._parent[place]
        return place

    def join(self, one: Place, other: Place) -> None:
        self._parent[self.root(one)] = self.root(other)

    def names(self) -> dict[Place, str]:
        return {place: ".".join(self.root(place)) for place in list(self._parent)}


def _agreed(specs: Mapping[str, list[ColumnSpec]], domains: Mapping[Place, str]) -> dict[str, list[ColumnSpec]]:
    """Make columns that find each other take one treatment: that of the identifier among them, if there is one."""
    identifying: dict[str, Element] = {}
    for table, columns in specs.items():
        for spec in columns:
            if spec.treatment is Treatment.IDENTIFIER and spec.element and (table, spec.name) in domains:
                identifying.setdefault(domains[table, spec.name], spec.element)
    return {
        table: [
            replace(spec, treatment=Treatment.IDENTIFIER, element=identifying[domains[table, spec.name]])
            if domains.get((table, spec.name)) in identifying
            else spec
            for spec in columns
        ]
        for table, columns in specs.items()
    }


def _personal_domains(relations: Sequence[RelationInfo], specs: Mapping[str, Sequence[ColumnSpec]]) -> set[str]:
    """Return the key domains whose keys stand for one person each."""
    personal: set[str] = set()
    while True:
        before = len(personal)
        for one in relations:
            own = specs[table_name(one)]
            by_name = {spec.name: spec for spec in own}
            names_people = any(spec.element in _ANSWERING and not spec.contact for spec in own)
            refers = any(spec.treatment is Treatment.KEY and spec.domain in personal for spec in own)
            if not names_people and not refers:
                continue
            single = [key.columns[0] for key in one.unique_keys if len(key.columns) == 1]
            if one.is_file and names_people:
                single = [spec.name for spec in own if spec.domain and _PERSON_KEYLIKE.search(spec.name)]
            personal |= {by_name[name].domain for name in single if name in by_name and by_name[name].domain}
        if len(personal) == before:
            return personal


def _in_order(tables: Sequence[PlannedTable]) -> list[PlannedTable]:
    """Return tables that name identities first, then those they refer to before those that refer."""
    waiting = {one.name: one for one in tables}
    refers: dict[str, set[str]] = defaultdict(set)
    for one in tables:
        for link in one.relation.foreign_keys:
            target = f"{link.target_schema}.{link.target_table}"
            if target != one.name and target in waiting:
                refers[one.name].add(target)
    ordered: list[PlannedTable] = []
    while waiting:
        ready = [one for name, one in waiting.items() if not refers[name] & set(waiting)] or list(waiting.values())
        ready.sort(key=lambda one: (not any(spec.element in _NAMING for spec in one.spec.columns), one.name))
        ordered.append(waiting.pop(ready[0].name))
    return ordered
