"""Which person a row is about: by its identity number, else by the key of a customer known before, else by a number."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kuimen.kernels.elements import Element
from kuimen.kernels.fabrication.assignment import normal_form, tags_of
from kuimen.kernels.fabrication.draws import Numbers
from kuimen.kernels.fabrication.treatments import ColumnSpec, TableSpec, Treatment

Columns = Mapping[str, pa.Array]

_STRONG: Final = (Element.RESIDENT_ID, Element.PASSPORT, Element.OTHER_CERTIFICATE)
_WEAK: Final = (
    Element.MOBILE, Element.BANK_CARD, Element.ACCOUNT_NUMBER, Element.EMAIL, Element.WECHAT, Element.QQ,
    Element.USER_NAME, Element.LANDLINE, Element.IMEI, Element.DEVICE_ID,
)  # fmt: skip


@dataclass(slots=True)
class _Known:
    """Persons by tag; the first word on a tag stands."""

    tags: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))
    persons: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    def look_up(self, tags: Numbers) -> tuple[NDArray[np.bool_], Numbers]:
        if not len(self.tags):
            return np.zeros(len(tags), dtype=np.bool_), np.zeros(len(tags), dtype=np.uint64)
        at = np.minimum(np.searchsorted(self.tags, tags), len(self.tags) - 1)
        return self.tags[at] == tags, self.persons[at]

    def learn(self, tags: Numbers, persons: Numbers) -> None:
        known, _ = self.look_up(tags)
        new, first = np.unique(tags[~known], return_index=True)
        if len(new):
            at = np.searchsorted(self.tags, new)
            self.tags = np.insert(self.tags, at, new)
            self.persons = np.insert(self.persons, at, persons[~known][first])


class Registry:
    """Finds persons, batch after batch; tables whose rows name identities come first, then those that refer to them."""

    def __init__(self, key: bytes) -> None:
        """Use the key of the package."""
        self._key = key
        self._known: dict[str, _Known] = {}

    def persons_of(
        self, table: TableSpec, columns: Columns, *, first_row: int, contact: bool = False, learn: bool
    ) -> Numbers:
        """Return the person of each row.

        Args:
            table: its columns.
            columns: one batch of them as texts.
            first_row: number of the first row within the table, for rows that name nobody.
            contact: the person that the columns of a contact describe, instead of the customer.
            learn: keep what this batch tells; once a table.
        """
        rows = len(next(iter(columns.values()))) if columns else 0
        own = [column for column in table.columns if column.contact == contact]
        strong = [one for element in _STRONG for one in own if one.element is element]
        weak = [one for element in _WEAK for one in own if one.element is element]
        keys = [one for one in own if one.treatment is Treatment.KEY and one.person_key]
        found = np.zeros(rows, dtype=np.uint64)
        done = np.zeros(rows, dtype=np.bool_)
        tagged: list[tuple[_Known, NDArray[np.bool_], Numbers]] = []
        for group in ([*strong, *keys], weak):
            first, has = np.zeros(rows, dtype=np.uint64), np.zeros(rows, dtype=np.bool_)
            for column in group:
                known_by, filled, tags = self._tagged(column, columns[column.name])
                tagged.append((known_by, filled, tags))
                known, persons = known_by.look_up(tags)
                use = ~done & filled & known
                found[use], done[use] = persons[use], True
                fresh = filled & ~has
                first[fresh], has[fresh] = tags[fresh], True
            use = ~done & has
            found[use], done[use] = first[use], True
        if not done.all():
            found[~done] = self._unnamed(table, rows, first_row=first_row, contact=contact)[~done]
        if learn:
            for known_by, filled, tags in tagged:
                known_by.learn(tags[filled], found[filled])
        return found

    def _tagged(self, column: ColumnSpec, values: pa.Array) -> tuple[_Known, NDArray[np.bool_], Numbers]:
        domain = f"key/{column.domain}" if column.treatment is Treatment.KEY else f"person/{column.element}"
        spelt = normal_form(values, column.element)
        known_by = self._known.setdefault(domain, _Known())
        return known_by, spelt.is_valid().to_numpy(zero_copy_only=False), tags_of(spelt, key=self._key, domain=domain)

    def _unnamed(self, table: TableSpec, rows: int, *, first_row: int, contact: bool) -> Numbers:
        numbers = pa.array(np.arange(first_row, first_row + rows)).cast(pa.string())
        return tags_of(numbers, key=self._key, domain=f"row/{table.name}/{contact}")
