"""Make a package: first look at every table once, then make every batch anew.

>>> spec = TableSpec(name="t", columns=(
...     ColumnSpec(name="mobile", treatment=Treatment.IDENTIFIER, element=Element.MOBILE),))
>>> rows = {"mobile": pa.array(["13800000000", "13800000000", None])}
>>> survey = Survey(key=bytes(32))
>>> survey.look(spec, rows)
>>> made = survey.finish().fabricate(spec, rows)["mobile"].to_pylist()
>>> made[0] == made[1], made[0].startswith("199900"), made[2]
(True, True, None)
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from kuimen.kernels.elements import Element
from kuimen.kernels.fabrication import facts, words
from kuimen.kernels.fabrication.assignment import Assignment, assign, normal_form
from kuimen.kernels.fabrication.draws import Numbers, below, digits, joined
from kuimen.kernels.fabrication.errors import ColumnValuesError, NoGeneratorError
from kuimen.kernels.fabrication.facts import DateShape, Vocabulary
from kuimen.kernels.fabrication.keys import new_keys
from kuimen.kernels.fabrication.people import People, sex_codes
from kuimen.kernels.fabrication.persons import Columns, Registry
from kuimen.kernels.fabrication.spaces import FictitiousRanges
from kuimen.kernels.fabrication.treatments import ColumnSpec, Kind, TableSpec, Treatment

_MOST_WORDS: Final = 5_000  # different values counted of a column
_SMALL_TEXTS, _SMALL_NUMBERS = 200, 50
_SHORT_CODE: Final = 4
_PERSONAL_TEXT: Final = frozenset(
    {Treatment.IDENTIFIER, Treatment.NAME, Treatment.SENTENCE, Treatment.ANSWER, Treatment.CODE, Treatment.LOCATION}
)
_NEEDLE_SIGNS: Final = 64
_TINY_PICTURE: Final = (
    "\\x89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c6360000000020001"
    "48afa4710000000049454e44ae426082"
)


@dataclass(slots=True)
class _Look:
    """What the first pass learns of one column."""

    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    many: bool = False
    numeric: bool = True
    shape: DateShape | None = None
    shaped: bool = True
    scale: int = 0
    lowest: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    highest: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))

    def see(self, values: pa.Array) -> None:
        """Take note of filled values."""
        self.rows += len(values)
        counted = values.value_counts()
        if not self.many and len(counted) <= _MOST_WORDS:
            self.counts.update(
                dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True))
            )
            self.many = len(self.counts) > _MOST_WORDS
        else:
            self.many = True
        self.numeric = self.numeric and facts.are_numbers(values)
        if self.numeric:
            fractions = pc.utf8_length(pc.replace_substring_regex(values, r"^[^.]*\.?", ""))
            self.scale = max(self.scale, pc.max(fractions).as_py() or 0)
            numbers = np.sort(values.cast(pa.float64()).to_numpy(zero_copy_only=False))
            self.lowest = np.sort(np.concatenate([self.lowest, numbers[: facts.FEWEST]]))[: facts.FEWEST]
            self.highest = np.sort(np.concatenate([self.highest, numbers[-facts.FEWEST :]]))[-facts.FEWEST :]
        if self.shaped:
            shape = facts.date_shape(values)
            self.shaped = shape is not None and self.shape in {None, shape}
            self.shape = shape


class Survey:
    """The first pass. Tables are looked at in the order in which persons are known: identities before references."""

    def __init__(self, *, key: bytes, ranges: FictitiousRanges | None = None) -> None:
        """Begin a package under a key of at least 16 bytes."""
        self._key = key
        self._ranges = ranges or FictitiousRanges()
        self._known = Registry(key)
        self._looks: dict[tuple[str, str], _Look] = defaultdict(_Look)
        self._originals: dict[Element, list[pa.Array]] = defaultdict(list)
        self._longest: dict[Element, int] = {}
        self._keys: dict[str, list[pa.Array]] = defaultdict(list)
        self._names: list[pa.Array] = []
        self._persons: list[tuple[pa.Array, Numbers]] = []
        self._needles: dict[Element | None, list[pa.Array]] = defaultdict(list)
        self._seen: Counter[str] = Counter()

    def look(self, table: TableSpec, columns: Columns) -> None:
        """Look at one batch of a table: its columns as texts, all of one length.

        Raises:
            FabricationKeyError: the key is too short.
        """
        first = self._seen[table.name]
        self._seen[table.name] += len(next(iter(columns.values()))) if columns else 0
        persons = {
            contact: self._known.persons_of(table, columns, first_row=first, contact=contact, learn=True)
            for contact in (False, True)
        }
        for column in table.columns:
            values = columns[column.name]
            filled = normal_form(values, None).drop_null()
            if column.treatment in _PERSONAL_TEXT:
                self._needles[column.element].append(pc.utf8_slice_codeunits(filled.unique(), 0, _NEEDLE_SIGNS))
            match column.treatment:
                case Treatment.IDENTIFIER if column.element is not None:
                    self._take_identifiers(column, column.element, values, persons[column.contact])
                case Treatment.NAME:
                    self._names.append(normal_form(values, Element.PERSON_NAME).unique().drop_null())
                case Treatment.KEY:
                    self._keys[column.domain].append(filled.unique())
                case _:
                    self._looks[table.name, column.name].see(filled)

    def _take_identifiers(self, column: ColumnSpec, element: Element, values: pa.Array, persons: Numbers) -> None:
        spelt = normal_form(values, element)
        self._originals[element].append(spelt.unique().drop_null())
        if column.longest is not None:
            self._longest[element] = min(column.longest, self._longest.get(element, column.longest))
        if element is Element.RESIDENT_ID:
            filled = spelt.is_valid()
            self._persons.append((spelt.filter(filled), persons[filled.to_numpy(zero_copy_only=False)]))

    def finish(self) -> "Made":
        """Assign what stands for what.

        Raises:
            RangeExhaustedError: a fictitious range is too small for the data.
            NoGeneratorError: an identifier without a space.
        """
        assignments = {
            element: assign(
                _together(found), element, key=self._key, ranges=self._ranges, longest=self._longest.get(element)
            )
            for element, found in self._originals.items()
        }
        keys = {
            domain: new_keys(_together(found), key=self._key, domain=domain) for domain, found in self._keys.items()
        }
        return Made(
            key=self._key,
            known=self._known,
            assignments=assignments,
            keys=keys,
            people=self._people(assignments.get(Element.RESIDENT_ID)),
            looks=dict(self._looks),
            originals={element: _together(found) for element, found in self._needles.items()},
        )

    def _people(self, numbers: Assignment | None) -> People:
        names = _together(self._names)
        if numbers is None:
            nobody = np.zeros(0, dtype=np.uint64)
            return People(numbers=nobody, places=nobody, real_names=names)
        persons = np.concatenate([who for _, who in self._persons])
        spelt = pa.chunked_array([text for text, _ in self._persons], pa.string()).combine_chunks()
        places = numbers.places[pc.index_in(spelt, value_set=numbers.originals).to_numpy(zero_copy_only=False)]
        distinct, first = np.unique(persons, return_index=True)
        return People(numbers=distinct, places=places[first], real_names=names)


def _together(parts: list[pa.Array]) -> pa.Array:
    return pa.chunked_array(parts, pa.string()).combine_chunks().unique()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A package that knows what stands for what; as secret as its key while it is in memory.

    Attributes:
        originals: what must not be found in what is made, by element; distinct, the first 64 signs.
    """

    key: bytes
    known: Registry
    assignments: Mapping[Element, Assignment]
    keys: Mapping[str, Assignment]
    people: People
    looks: Mapping[tuple[str, str], _Look]
    originals: Mapping[Element | None, pa.Array]

    def fabricate(self, table: TableSpec, columns: Columns, *, first_row: int = 0) -> dict[str, pa.Array]:
        """Return one batch made anew: the same rows and nulls, texts, shape (n,) each.

        Raises:
            ColumnValuesError: the data changed since the first look, or something made does not fit its column.
            NoGeneratorError: a column has no treatment.
        """
        persons = {
            contact: self.known.persons_of(table, columns, first_row=first_row, contact=contact, learn=False)
            for contact in (False, True)
        }
        return dict(self._columns(table, columns, persons))

    def _columns(
        self, table: TableSpec, columns: Columns, persons: Mapping[bool, Numbers]
    ) -> Iterator[tuple[str, pa.Array]]:
        for column in table.columns:
            given = columns[column.name].cast(pa.string())
            values = normal_form(given, None)
            made = self._column(table, column, values, persons[column.contact])
            if not made.type.equals(pa.string()):
                made = made.cast(pa.string())
            nothing = pc.if_else(given.is_valid(), "", pa.scalar(None, pa.string()))
            made = pc.if_else(values.is_valid(), made, nothing)
            longest = pc.max(pc.utf8_length(made)).as_py()
            if column.longest is not None and longest is not None and longest > column.longest:
                raise ColumnValuesError(
                    f"{table.name}.{column.name}: takes {column.longest} signs, what is made needs {longest}; "
                    "name another treatment for it"
                )
            yield column.name, made

    def _column(  # noqa: PLR0911 - one line a treatment
        self, table: TableSpec, column: ColumnSpec, values: pa.Array, persons: Numbers
    ) -> pa.Array:
        match column.treatment:
            case Treatment.EMPTY:
                return pa.nulls(len(values), pa.string())
            case Treatment.KEY:
                return self.keys[column.domain].apply(values)
            case Treatment.IDENTIFIER if column.element is not None:
                return self.assignments[column.element].apply(values)
            case Treatment.NAME:
                return self.people.names(persons)
            case Treatment.PICTURE:
                text = _TINY_PICTURE if column.kind is Kind.BYTES else "测试图片"
                return pa.repeat(pa.scalar(text), len(values))
            case Treatment.SENTENCE | Treatment.ANSWER | Treatment.CODE:
                return self._text(column, values, persons)
            case Treatment.EXPIRY | Treatment.LOCATION | Treatment.BIRTH | Treatment.SEX:
                return self._of_person(self.looks[table.name, column.name], column, values, persons)
            case Treatment.VOCABULARY | Treatment.FACT:
                return self._fact(self.looks[table.name, column.name], table, column, values, persons)
            case _:
                raise NoGeneratorError(f"{table.name}.{column.name}: no generator; name a treatment for it")

    def _text(self, column: ColumnSpec, values: pa.Array, persons: Numbers) -> pa.Array:
        if column.kind in {Kind.JSON, Kind.ARRAY}:
            return pa.repeat(pa.scalar("{}"), len(values))
        if column.kind is Kind.BYTES:
            return pa.repeat(pa.scalar("\\x00"), len(values))
        if column.treatment is Treatment.ANSWER:
            return facts.answers(values, persons)
        if column.treatment is Treatment.SENTENCE:
            made = facts.sentences(values, persons)
            return made if column.longest is None else pc.utf8_slice_codeunits(made, 0, column.longest)
        return facts.coded(values, key=self.key, domain=f"code/{column.element}")

    def _of_person(self, look: _Look, column: ColumnSpec, values: pa.Array, persons: Numbers) -> pa.Array:
        born, is_man = self.people.birth_and_sex(persons)
        if column.treatment is Treatment.BIRTH:
            day = facts.day_texts(born, look.shape or DateShape.DASHED)
            return day if look.shaped else facts.coded(values, key=self.key, domain="birth")
        if column.treatment is Treatment.SEX:
            codes = sorted(look.counts)
            made = sex_codes(is_man, codes=codes)
            return Vocabulary.of(look.counts, at_least=1).drawn(persons, "sex") if made is None else made
        if column.treatment is Treatment.EXPIRY:
            separator = pc.if_else(pc.match_substring(values, "/"), "/", "").fill_null("")
            month, year = digits(1 + below(persons, "month", 12), 2), digits(29 + below(persons, "year", 6), 2)
            return joined(month, separator, year)
        first, second = (joined("0.", digits(below(persons, axis, 10**6), 6)) for axis in ("east", "north"))
        if column.kind is Kind.NUMBER or look.numeric:
            return first
        return pc.if_else(pc.match_substring(values, ","), joined(first, ",", second), "云崖省瞿塘市")

    def _fact(self, look: _Look, table: TableSpec, column: ColumnSpec, values: pa.Array, persons: Numbers) -> pa.Array:
        salt = f"{table.name}.{column.name}"
        if column.treatment is Treatment.VOCABULARY:
            safe = Vocabulary.of(look.counts) if not look.many else Vocabulary(counts={})
            if not safe.counts:
                element = column.element.value if column.element else ""
                safe = Vocabulary.of(Counter(words.VOCABULARIES.get(element, ("测试",))), at_least=1)
            return safe.drawn(persons, salt)
        if (kept := _kept_words(look, column)) is not None:
            return kept.kept(values, persons, salt)
        if look.shaped and look.shape is not None:
            return facts.moved_dates(values, persons, shape=look.shape)
        if look.numeric and len(look.lowest):
            scale = 0 if column.kind is Kind.INTEGER else look.scale
            return facts.moved_numbers(values, persons, low=look.lowest[-1], high=look.highest[0], scale=scale)
        return self._text(column, values, persons)


def _kept_words(look: _Look, column: ColumnSpec) -> Vocabulary | None:
    """Return the words that may stay, or None where the column is no small vocabulary."""
    if look.many or not look.counts:
        return None
    short = all(len(word) <= _SHORT_CODE and word.isascii() for word in look.counts)
    if column.kind in {Kind.ENUM, Kind.BOOLEAN}:
        return Vocabulary.of(look.counts, at_least=1)
    if look.shaped and column.kind in {Kind.DATE, Kind.TIMESTAMP, Kind.TEXT}:
        return None
    if column.kind in {Kind.INTEGER, Kind.NUMBER} or look.numeric:
        few = len(look.counts) <= _SMALL_NUMBERS
        safe = Vocabulary.of(look.counts)
        return safe if few and safe.counts else None
    if column.kind is not Kind.TEXT or len(look.counts) > _SMALL_TEXTS:
        return None
    safe = Vocabulary.of(look.counts, at_least=1 if short else facts.FEWEST)
    return safe if safe.counts else None


def fabricate(
    tables: Mapping[TableSpec, Columns], *, key: bytes, ranges: FictitiousRanges | None = None
) -> tuple[dict[str, dict[str, pa.Array]], Made]:
    """Make tables that fit in memory anew, in the given order; identities first.

    Returns:
        The made columns by table and column, and what stands for what.

    Raises:
        As :meth:`Survey.look`, :meth:`Survey.finish` and :meth:`Made.fabricate`.
    """
    survey = Survey(key=key, ranges=ranges)
    for table, columns in tables.items():
        survey.look(table, columns)
    made = survey.finish()
    return {table.name: made.fabricate(table, columns) for table, columns in tables.items()}, made
