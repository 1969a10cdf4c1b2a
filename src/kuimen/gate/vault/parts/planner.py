"""The planner: measures how often the parts of an element really occur, and says whether an index of them may exist.

It opens every record of the element inside the vault and counts tags under a key that it draws and forgets; what comes
out are counts.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from kuimen.foundation.identifiers import new_ref
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.pacing import Advance
from kuimen.gate.vault import store
from kuimen.gate.vault.models import Record
from kuimen.gate.vault.part_rules import DECLARED, IndexName, Part, is_declared, part_of
from kuimen.gate.vault.part_tags import standing
from kuimen.gate.vault.parts.leakage import Counts, Flaw, Measures, flaws_of, measures_of
from kuimen.gate.vault.rotation.resealing import opened_rows, read_records
from kuimen.gate.vault.rules import INDEXED_ELEMENTS, SHOWN, is_indexed
from kuimen.gate.vault.store import StoredRecord
from kuimen.kernels.ciphers import blind_index, normalise_for_index
from kuimen.kernels.ciphers.errors import LeakyIndexError
from kuimen.kernels.elements.model import Element

BATCH: Final = 5_000
_LOW: Final = 2**64 - 1
_OF_ELEMENT: Final = """
    SELECT record_id, element, person_ref, key_scope, retention_class, key_generation, sealed, state,
        source_id, source_table, source_column, source_key
    FROM vault_record
    WHERE record_id > %s AND element = %s AND state IN ('pending', 'bound') ORDER BY record_id LIMIT %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an index would be, and whether it may be.

    Attributes:
        flaws: every reason against it; none means that it is admitted.
        unopened: records that do not open or wait for a suspended person; they were not measured.
    """

    name: IndexName
    measures: Measures
    flaws: tuple[Flaw, ...]
    unopened: int

    @property
    def admitted(self) -> bool:
        """Return whether the index may be built."""
        return not self.flaws


def plan_element(element: Element, *, advance: Advance = lambda _done, _total: None) -> list[Plan]:
    """Measure the whole value and every declared part of an element. Cost: about 15 µs a record.

    Raises:
        KeysLockedError, VaultBusyError, KeyStoreError: as named.
    """
    parts = (Part.WHOLE, *DECLARED.get(element, ()))
    tallies = {part: _Tally() for part in parts}
    with store.translated():
        total = Record.objects.filter(element=element.value, state__in=SHOWN).count()
    seen = unopened = 0
    for rows in _batches(element):
        opened, _ = opened_rows(keys.keyring(), rows)
        unopened += len(rows) - len(opened)
        owners = _owners(row for row, _ in opened)
        normal = [_normal(element, clear) for _, clear in opened]
        for part, tally in tallies.items():
            tally.add([part_of(part, text) for text in normal], owners)
        seen += len(rows)
        advance(seen, total)
    standing_parts = {one.name.part for one in standing() if one.name.element is element}
    return [_plan(element, part, tally, unopened, standing_parts) for part, tally in tallies.items()]


def _plan(element: Element, part: Part, tally: "_Tally", unopened: int, standing_parts: set[Part]) -> Plan:
    measures = measures_of(tally.counts(), part=part)
    declared = is_indexed(element) if part is Part.WHOLE else is_declared(element, part)
    return Plan(
        name=IndexName(element=element, part=part),
        measures=measures,
        flaws=flaws_of(measures, part=part, declared=declared, second=bool(standing_parts - {part})),
        unopened=unopened,
    )


def plan_of(name: IndexName, *, advance: Advance = lambda _done, _total: None) -> Plan:
    """Measure one part of an element."""
    plans = {one.name.part: one for one in plan_element(name.element, advance=advance)}
    found = plans.get(name.part)
    if found is not None:
        return found
    nothing = measures_of(Counts(records=_NONE, people=_NONE), part=name.part)
    return Plan(name=name, measures=nothing, flaws=(Flaw.UNDECLARED,), unopened=0)


def elements_to_plan() -> list[Element]:
    """Return the elements that have an index or a declared part, and records."""
    with store.translated():
        held = set(Record.objects.filter(state__in=SHOWN).order_by().values_list("element", flat=True).distinct())
    return sorted(element for element in INDEXED_ELEMENTS | DECLARED.keys() if element.value in held)


_NONE: Final[NDArray[np.int64]] = np.zeros(0, dtype=np.int64)


class _Tally:
    """Tags and owners of one part, as numbers that say nothing without the key drawn here."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._tags: list[NDArray[np.uint64]] = []
        self._owners: list[NDArray[np.uint64]] = []

    def add(self, parts: Sequence[str | None], owners: NDArray[np.uint64]) -> None:
        """Count a batch."""
        held = np.array([part is not None for part in parts], dtype=bool)
        column = pa.array([part for part in parts if part is not None], type=pa.large_string())
        self._tags.append(np.frombuffer(b"".join(blind_index(column, self._key).to_pylist()), dtype=np.uint64))
        self._owners.append(owners[held])

    def counts(self) -> Counts:
        """Return how often each part occurs."""
        if not self._tags:
            return Counts(records=_NONE, people=_NONE)
        tags, owners = np.concatenate(self._tags), np.concatenate(self._owners)
        _, records = np.unique(tags, return_counts=True)
        pairs = np.unique(np.stack([tags, owners], axis=1), axis=0)
        _, people = np.unique(pairs[:, 0], return_counts=True)
        return Counts(records=records.astype(np.int64), people=people.astype(np.int64))


def _owners(rows: Iterable[StoredRecord]) -> NDArray[np.uint64]:
    """Number the persons; a record whose person nobody knows counts as a person of its own."""
    refs = [(row.person_ref or new_ref()).int for row in rows]
    return np.array([(ref ^ ref >> 64) & _LOW for ref in refs], dtype=np.uint64)


def _normal(element: Element, clear: bytes) -> str:
    text = clear.decode("utf-8")
    try:
        return normalise_for_index(element.value, text)
    except LeakyIndexError:  # no index is kept of it; it is measured as it stands, to show why
        return text.strip()


def _batches(element: Element) -> Iterator[list[StoredRecord]]:
    after = UUID(int=0)
    while rows := read_records(_OF_ELEMENT, [after, element.value, BATCH]):
        yield rows
        after = rows[-1].record_id
