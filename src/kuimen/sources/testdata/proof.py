"""Proof that no original is left: what was made is read again, cell by cell and byte by byte, before it is handed over.

Identifiers of eight digits and more must stand in no cell of their element; everything that is long enough to be no
accident is searched in all bytes, also in hexadecimal, Base64, UTF-16 and GB18030.
"""

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from kuimen.kernels.detection.needles import NeedleSet
from kuimen.kernels.elements import Element
from kuimen.kernels.fabrication import TableSpec
from kuimen.sources.testdata.reading import Batch

_FEWEST_SIGNS: Final = 2  # of a cell that is compared; shorter ones tell nothing
_DIGIT_CELL, _DIGIT_NEEDLE = 8, 11
_NEEDLE_BYTES: Final = 8
_RUNNING_SIGNS: Final = 8  # shorter pieces of addresses, firms and texts are words that others use too
_RUNNING: Final = frozenset(
    {Element.ADDRESS, Element.COMPANY_NAME, Element.FREE_TEXT, Element.CREDIT_REPORT, Element.CALL_RECORD}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDataProof:
    """What was looked for and found.

    Attributes:
        needles_raw: originals searched in every byte of what was made.
        needles_cell: originals compared with every cell of their element.
        too_short: originals that tell nothing by themselves (a code of three digits); not looked for.
        bytes_searched: of what was made.
        hits: originals found, by table; empty is the goal.
    """

    __test__ = False

    needles_raw: int
    needles_cell: int
    too_short: int
    bytes_searched: int
    hits: Mapping[str, int] = field(default_factory=dict)

    @property
    def residual(self) -> int:
        """Return how many originals were found."""
        return sum(self.hits.values())


class Prover:
    """Holds the originals in memory and reads what was made."""

    def __init__(self, originals: Mapping[Element | None, pa.Array]) -> None:
        """Take the originals of a package, by element, the first 64 signs of each."""
        raw: set[bytes] = set()
        self._cells: dict[Element | None, pa.Array] = {}
        self._short = 0
        for element, values in originals.items():
            digits = pc.match_substring_regex(values, r"^\d+$")
            signs = pc.utf8_length(values)
            tells = pc.if_else(
                digits, pc.greater_equal(signs, _DIGIT_CELL), pc.greater_equal(signs, _least_signs(element))
            )
            self._cells[element] = values.filter(tells)
            self._short += len(values) - len(self._cells[element])
            long = pc.if_else(
                digits,
                pc.greater_equal(signs, _DIGIT_NEEDLE),
                pc.and_(pc.greater_equal(pc.binary_length(values), _NEEDLE_BYTES), tells),
            )
            raw.update(text.encode() for text in values.filter(long).to_pylist())
        self._needles = NeedleSet.build(sorted(raw))
        self._hits: Counter[str] = Counter()
        self._bytes = 0

    def read(self, table: TableSpec, batch: Batch) -> None:
        """Search one batch of what was made."""
        for column in table.columns:
            known = self._cells.get(column.element) if column.element is not None else None
            if known is not None and len(known):
                found = pc.sum(pc.is_in(batch[column.name].drop_null(), value_set=known)).as_py()
                self._hits[table.name] += found or 0
        stream = io.BytesIO()
        csv.write_csv(pa.table(dict(batch)), stream, csv.WriteOptions(include_header=False))
        block = stream.getvalue()
        self._bytes += len(block)
        self._hits[table.name] += len(self._needles.search(block))

    def proof(self) -> TestDataProof:
        """Return what was found so far."""
        return TestDataProof(
            needles_raw=self._needles.count,
            needles_cell=sum(map(len, self._cells.values())),
            too_short=self._short,
            bytes_searched=self._bytes,
            hits={name: hits for name, hits in self._hits.items() if hits},
        )


def _least_signs(element: Element | None) -> int:
    return _RUNNING_SIGNS if element in _RUNNING else _FEWEST_SIGNS
