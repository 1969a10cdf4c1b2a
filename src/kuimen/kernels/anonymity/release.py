"""Generalise a table until it keeps its bounds, or refuse to release it.

>>> import pyarrow as pa
>>> from kuimen.kernels.anonymity.ways import Ranges
>>> table = pa.table({"age": [21, 23, 28, 34, 36], "bad": [0, 1, 0, 1, 0]})
>>> found = generalise(table, {"age": Ranges([5, 10])}, bounds=Bounds(k=2), sensitive=["bad"])
>>> found.levels, found.measures.k, found.suppressed_rows, found.standing.value
({'age': 2}, 2, 0, 'anonymised')
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kuimen.kernels.anonymity.classes import Codes, coded, column_of, combined
from kuimen.kernels.anonymity.errors import AnonymityColumnError, AnonymityLevelError, NotAnonymousEnoughError
from kuimen.kernels.anonymity.measures import Measures, Ordering, measure, of_classes
from kuimen.kernels.anonymity.ways import Way


class Standing(StrEnum):
    """What a release is in the words of JR/T 0171-2020."""

    DEIDENTIFIED = "deidentified"  # 去标识化: still personal financial information
    ANONYMISED = "anonymised"  # 匿名化


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a release must keep.

    Attributes:
        k: rows of the smallest class, 2 or more.
        l_distinct: different sensitive values in every class.
        t: largest distance of a class from the whole, 0 to 1.
        largest_suppressed: share of rows that may be left out instead of generalising everybody further.
    """

    k: int = 5
    l_distinct: int = 1
    t: float = 1.0
    largest_suppressed: float = 0.05

    def __post_init__(self) -> None:
        """Refuse bounds that bound nothing."""
        wrong = self.k < 2 or self.l_distinct < 1 or not 0 <= self.t <= 1 or not 0 <= self.largest_suppressed < 1  # noqa: PLR2004 - one row is nobody's crowd
        if wrong:
            raise AnonymityLevelError("bounds: k from 2, l from 1, t from 0 to 1, suppressed rows below 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A table that may go out, and what was done to it.

    Attributes:
        table: the generalised rows, without those left out; other columns unchanged.
        levels: level of each quasi-identifier, 0 being untouched.
        suppressed_rows: rows left out.
        measures: measured again on `table`.
        standing: de-identified as soon as a pseudonym is carried along.
    """

    table: pa.Table
    levels: Mapping[str, int]
    suppressed_rows: int
    measures: Measures
    standing: Standing


def generalise(
    table: pa.Table,
    ways: Mapping[str, Way],
    *,
    bounds: Bounds,
    sensitive: Sequence[str] = (),
    orderings: Mapping[str, Ordering] | None = None,
    pseudonym_columns: Sequence[str] = (),
) -> Release:
    """Generalise the quasi-identifiers that `ways` names until `bounds` hold.

    First the column with the most different values is generalised, a level at a time, until enough rows fit; then each
    column is let back down as far as the bounds allow. Columns that are neither quasi-identifier, sensitive nor
    pseudonym are refused, so that nothing goes out unseen.

    Cost: as many measurements as levels; under a minute for a million rows and eight columns.

    Raises:
        NotAnonymousEnoughError: even the last levels do not reach the bounds.
        AnonymityColumnError: a column of the table has no part in the release, or a named one is missing.
    """
    unseen = set(table.column_names) - set(ways) - set(sensitive) - set(pseudonym_columns)
    if unseen or not ways:
        raise AnonymityColumnError(
            f"columns without a part in the release: {', '.join(sorted(unseen)) or 'none'}; drop them"
        )
    search = _Search(table, ways, bounds=bounds, sensitive=sensitive, orderings=orderings or {})
    levels = search.lowest()
    kept = search.kept(levels)
    if kept is None:
        raise NotAnonymousEnoughError("bounds: not reached even when everything is generalised; release nothing")
    released = table
    for name, way in ways.items():
        position = released.column_names.index(name)
        released = released.set_column(position, name, way.apply(column_of(table, name), levels[name]))
    released = released.filter(pa.array(kept))
    return Release(
        table=released,
        levels=levels,
        suppressed_rows=table.num_rows - released.num_rows,
        measures=measure(released, quasi_identifiers=list(ways), sensitive=sensitive, orderings=orderings),
        standing=Standing.DEIDENTIFIED if pseudonym_columns else Standing.ANONYMISED,
    )


class _Search:
    """Tries levels; remembers every column at every level it was asked for."""

    def __init__(
        self,
        table: pa.Table,
        ways: Mapping[str, Way],
        *,
        bounds: Bounds,
        sensitive: Sequence[str],
        orderings: Mapping[str, Ordering],
    ) -> None:
        self._table = table
        self._ways = ways
        self._bounds = bounds
        self._sensitive = sensitive
        self._orderings = orderings
        self._columns: dict[tuple[str, int], tuple[Codes, int]] = {}

    def lowest(self) -> dict[str, int]:
        """Return the levels found; the last ones where nothing fits."""
        levels = dict.fromkeys(self._ways, 0)
        while self.kept(levels) is None:
            open_ones = [name for name in levels if levels[name] < self._ways[name].top]
            if not open_ones:
                return levels
            widest = max(open_ones, key=lambda name: self._coded(name, levels[name])[1])
            levels[widest] += 1
        for name in sorted(levels, key=lambda name: -levels[name]):
            while levels[name] and self.kept(levels | {name: levels[name] - 1}) is not None:
                levels[name] -= 1
        return levels

    def kept(self, levels: Mapping[str, int]) -> NDArray[np.bool_] | None:
        """Return which rows stay at these levels, or None where too many would go."""
        rows = self._table.num_rows
        classes, count = combined([self._coded(name, level) for name, level in levels.items()], rows)
        keep = np.ones(rows, dtype=np.bool_)
        while True:  # leaving rows out moves the whole that t is measured against
            wrong = self._wrong_classes(classes, count, keep)
            if not wrong.any():
                return keep if keep.any() else None
            keep &= ~wrong[classes]
            if rows - int(keep.sum()) > self._bounds.largest_suppressed * rows:
                return None

    def _wrong_classes(self, classes: Codes, count: int, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
        sizes = np.bincount(classes[keep], minlength=count)
        present = sizes > 0
        wrong = present & (sizes < self._bounds.k)
        if wrong.any() or not present.any():
            return wrong
        numbered = np.cumsum(present) - 1
        for name in self._sensitive:
            column = column_of(self._table, name).filter(pa.array(keep))
            found = of_classes(column, numbered[classes[keep]], sizes[present], self._orderings.get(name))
            failing = (found.distinct < self._bounds.l_distinct) | (found.distance > self._bounds.t + 1e-9)
            wrong[np.flatnonzero(present)[failing]] = True
        return wrong

    def _coded(self, name: str, level: int) -> tuple[Codes, int]:
        place = (name, level)
        if place not in self._columns:
            generalised = self._ways[name].apply(column_of(self._table, name), level)
            self._columns[place] = coded(pa.chunked_array([generalised]))
        return self._columns[place]
