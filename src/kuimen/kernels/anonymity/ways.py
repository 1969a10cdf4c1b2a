"""Ways to generalise a quasi-identifier, level by level. Level 0 leaves it, the last one says nothing of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from kuimen.kernels.anonymity.errors import AnonymityColumnError, AnonymityLevelError

NOTHING = "*"


class Way(Protocol):
    """Generalises one column."""

    @property
    def top(self) -> int:
        """Return the last level."""
        ...

    def apply(self, column: pa.ChunkedArray, level: int) -> pa.Array:
        """Return the column at a level, shape (n,) in, (n,) out; null stays null below the last level.

        Raises:
            AnonymityColumnError: the column is of another type.
        """
        ...


def nothing_of(column: pa.ChunkedArray) -> pa.Array:
    """Return the last level of every way."""
    return pa.array([NOTHING], pa.string()).take(pa.array(np.zeros(len(column), dtype=np.int64)))


@dataclass(frozen=True, slots=True)
class Ranges:
    """Numbers as ranges of growing width, for example ages in ranges of 5, 10 and 20: ``20-29``."""

    widths: Sequence[int]

    def __post_init__(self) -> None:
        """Refuse widths that do not nest."""
        pairs = zip(self.widths, self.widths[1:], strict=False)
        if not self.widths or self.widths[0] < 1 or any(wide % narrow or wide <= narrow for narrow, wide in pairs):
            raise AnonymityLevelError("widths: each one a multiple of the one before")

    @property
    def top(self) -> int:
        """Return the last level."""
        return len(self.widths) + 1

    def apply(self, column: pa.ChunkedArray, level: int) -> pa.Array:
        """Return numbers, ranges as text, or nothing."""
        if level == 0:
            return column.combine_chunks()
        if level == self.top:
            return nothing_of(column)
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            raise AnonymityColumnError("column: ranges take numbers; convert it first")
        width = self.widths[level - 1]
        low = pc.cast(
            pc.multiply(pc.floor(pc.divide(pc.cast(column, pa.float64()), float(width))), float(width)), pa.int64()
        )
        high = pc.add(low, width - 1)
        return pc.binary_join_element_wise(pc.cast(low, pa.string()), pc.cast(high, pa.string()), "-").combine_chunks()


class Calendar(StrEnum):
    """What is left of a date."""

    MONTH = "%Y-%m"
    YEAR = "%Y"


@dataclass(frozen=True, slots=True)
class Dates:
    """Dates as months, then years."""

    steps: Sequence[Calendar] = (Calendar.MONTH, Calendar.YEAR)

    @property
    def top(self) -> int:
        """Return the last level."""
        return len(self.steps) + 1

    def apply(self, column: pa.ChunkedArray, level: int) -> pa.Array:
        """Return dates, months or years as text, or nothing."""
        if level == 0:
            return column.combine_chunks()
        if level == self.top:
            return nothing_of(column)
        if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
            raise AnonymityColumnError("column: it holds no dates; convert it first")
        return pc.strftime(column, format=self.steps[level - 1].value).combine_chunks()


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Texts by their first signs, for example division codes of 6, 4 and 2 digits: county, city, province."""

    lengths: Sequence[int]

    def __post_init__(self) -> None:
        """Refuse lengths that do not shrink."""
        pairs = zip(self.lengths, self.lengths[1:], strict=False)
        if not self.lengths or self.lengths[-1] < 1 or any(short >= long for long, short in pairs):
            raise AnonymityLevelError("lengths: each one shorter than the one before, the last at least 1")

    @property
    def top(self) -> int:
        """Return the last level."""
        return len(self.lengths) + 1

    def apply(self, column: pa.ChunkedArray, level: int) -> pa.Array:
        """Return texts, their beginnings, or nothing."""
        if level == 0:
            return column.combine_chunks()
        if level == self.top:
            return nothing_of(column)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            raise AnonymityColumnError("column: beginnings are of texts; convert it first")
        return pc.utf8_slice_codeunits(column, 0, self.lengths[level - 1]).combine_chunks()
