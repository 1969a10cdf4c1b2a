"""Opening and sealing again: under a new generation or suite of the key, or for another person."""

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import pyarrow as pa
from django.db import connection
from typing_extensions import override

from kuimen.gate.audit import services as audit
from kuimen.gate.keys import store as key_store
from kuimen.gate.keys.arrays import bytea_array, int_array, uuid_array
from kuimen.gate.keys.errors import KeyDestroyedError
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.leases import LeasedKey, leased_person, leased_table
from kuimen.gate.keys.material import DataKey
from kuimen.gate.keys.models import TableKey
from kuimen.gate.keys.rules import KeyState, KeySuite, RetentionClass
from kuimen.gate.vault import store
from kuimen.gate.vault.models import RotationJob
from kuimen.gate.vault.rotation.jobs import Prepared
from kuimen.gate.vault.rows.store import place_of
from kuimen.gate.vault.rows.tying import Tie, record_revisions, row_keys
from kuimen.gate.vault.sealing import CONTEXT_OF_ALL
from kuimen.gate.vault.store import StoredRecord
from kuimen.gate.vault.unsealing import context_of, keys_in_use, unsealed
from kuimen.kernels.ciphers import Sealer

_COLUMNS: Final = """
    SELECT record_id, element, person_ref, key_scope, retention_class, key_generation, sealed, state,
        source_id, source_table, source_column, source_key
    FROM vault_record
"""
_OF_CLASS: Final = (
    _COLUMNS
    + """
    WHERE record_id > %s AND retention_class = %s AND state IN ('pending', 'bound') ORDER BY record_id LIMIT %s
"""
)
_OF_PERSON: Final = (
    _COLUMNS
    + """
    WHERE record_id > %s AND person_ref = %s AND state IN ('pending', 'bound') ORDER BY record_id LIMIT %s
"""
)
_LIGHT: Final = """
    SELECT record_id, person_ref, key_scope, key_generation FROM vault_record
    WHERE record_id > %s AND retention_class = %s AND state IN ('pending', 'bound') ORDER BY record_id LIMIT %s
"""
_LIGHT_ROWS: Final = 20_000
_LEFT_OF_PERSON: Final = "SELECT count(*) FROM vault_record WHERE person_ref = %s AND state <> 'destroyed'"
_HOLD: Final = """
    SELECT record.record_id FROM vault_record AS record
    JOIN unnest(%s::uuid[], %s::bytea[]) AS new (record_id, old)
        ON record.record_id = new.record_id AND record.sealed = new.old
    ORDER BY record.record_id FOR NO KEY UPDATE OF record
"""
_SWAP: Final = """
    UPDATE vault_record AS record
    SET sealed = new.sealed, key_generation = new.generation, person_ref = new.person_ref
    FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::bytea[]) AS new (record_id, person_ref, generation, sealed)
    WHERE record.record_id = new.record_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a record goes: the key, and whose it is then."""

    key: DataKey
    person_ref: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed(Prepared):
    """A batch sealed anew."""

    rows: Sequence[tuple[StoredRecord, Target, bytes]] = ()


def opened_rows(ring: Keyring, rows: Sequence[StoredRecord]) -> tuple[list[tuple[StoredRecord, bytes]], list[UUID]]:
    """Open rows in columns; return what opened, and the ids of what should have and did not.

    A record whose key was suspended or destroyed is in neither.
    """
    held = keys_in_use(ring, rows)
    chosen = [row for row in rows if row.record_id in held]
    values = unsealed(ring, chosen, [held[row.record_id] for row in chosen]).values
    opened = [(row, value) for row, value in zip(chosen, values, strict=True) if value is not None]
    return opened, [row.record_id for row, value in zip(chosen, values, strict=True) if value is None]


def sealed_rows(
    ring: Keyring, rows: Sequence[tuple[StoredRecord, bytes, Target]]
) -> list[tuple[StoredRecord, Target, bytes]]:
    """Seal clear rows under their targets, a column for each suite; the uses are counted first."""
    uses: Counter[LeasedKey] = Counter()
    for row, _, target in rows:
        generation = target.key.generation
        if target.person_ref is None:
            uses[leased_table(row.key_scope, row.retention_class, generation)] += 1
        else:
            uses[leased_person(target.person_ref, row.retention_class, generation)] += 1
    ring.claim(uses)
    by_suite: dict[KeySuite, list[tuple[StoredRecord, bytes, Target]]] = defaultdict(list)
    for one in rows:
        by_suite[one[2].key.suite].append(one)
    sealed: list[tuple[StoredRecord, Target, bytes]] = []
    for suite, members in by_suite.items():
        column = Sealer.for_key(members[0][2].key.key, suite.value).seal_column(
            pa.array([clear for _, clear, _ in members], type=pa.large_binary()),
            CONTEXT_OF_ALL,
            row_aad=[
                context_of(ring, row, person=target.person_ref, generation=target.key.generation)
                for row, _, target in members
            ],
            row_keys=[target.key.key for _, _, target in members],
            row_key_ids=[target.key.generation for _, _, target in members],
        )
        sealed += [
            (row, target, bytes(value)) for (row, _, target), value in zip(members, column.to_pylist(), strict=True)
        ]
    return sealed


def read_records(statement: str, parameters: Sequence[UUID | str | int]) -> list[StoredRecord]:
    """Run one of the SELECTs of this package."""
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return [store.stored(row) for row in cursor.fetchall()]


class _Resealing(ABC):
    """What re-encrypting and merging share: open where it stands, seal at the target, swap."""

    def __init__(self, ring: Keyring, job: RotationJob) -> None:
        self.ring = ring
        self.job = job

    @abstractmethod
    def targets(self, rows: Sequence[StoredRecord]) -> Mapping[UUID, Target]:
        """Return where each record goes; those that stay are left out."""

    def prepare(self, rows: Sequence[StoredRecord]) -> Resealed:
        """Open, and seal at the target."""
        targets = self.targets(rows)
        opened, broken = opened_rows(self.ring, [row for row in rows if row.record_id in targets])
        sealed = sealed_rows(self.ring, [(row, clear, targets[row.record_id]) for row, clear in opened])
        return Resealed(attempted=len(sealed), broken=broken, rows=sealed)

    def write(self, prepared: Prepared) -> int:
        """Swap in the new bytes where the old ones still stand and the row fits its seal, and seal the rows anew."""
        if not isinstance(prepared, Resealed):
            return 0
        row_keys(self.ring)
        with store.translated(), connection.cursor() as cursor:
            cursor.execute(
                _HOLD,
                [
                    uuid_array(row.record_id for row, _, _ in prepared.rows),
                    bytea_array(row.sealed for row, _, _ in prepared.rows),
                ],
            )
            held = {record_id for (record_id,) in cursor.fetchall()}
            rows = [one for one in prepared.rows if one[0].record_id in held]
            tie = Tie(self.ring, {place_of(row) for row, _, _ in rows})
            prepared.altered.extend(row.record_id for row, _, _ in rows if not tie.holds(place_of(row)))
            rows = [one for one in rows if tie.holds(place_of(one[0]))]
            cursor.execute(
                _SWAP,
                [
                    uuid_array(row.record_id for row, _, _ in rows),
                    uuid_array(target.person_ref for _, target, _ in rows),
                    int_array(target.key.generation for _, target, _ in rows),
                    bytea_array(sealed for _, _, sealed in rows),
                ],
            )
            changed = int(cursor.rowcount)
        counted = tie.seal((place_of(row), row.record_id, sealed) for row, _, sealed in rows)
        record_revisions(counted, actor=audit.SYSTEM)
        return changed


class ReEncrypting(_Resealing):
    """Seal every record of a retention class under keys made for this job, of its suite."""

    @property
    def _kind(self) -> RetentionClass:
        return RetentionClass(self.job.subject)

    @property
    def _suite(self) -> KeySuite:
        return KeySuite(self.job.suite)

    def read(self, after: UUID, limit: int) -> list[StoredRecord]:
        """Return the next records of the class."""
        return read_records(_OF_CLASS, [after, self._kind.value, limit])

    @override
    def targets(self, rows: Sequence[StoredRecord]) -> Mapping[UUID, Target]:
        """Return the renewed keys; they are made here where they are missing."""
        refs = {row.person_ref for row in rows if row.person_ref is not None}
        persons = self.ring.renewed_person_keys(refs, self._kind, up_to_id=self.job.person_mark, suite=self._suite)
        tables: dict[str, DataKey | None] = {
            scope: self._table_key(scope) for scope in {row.key_scope for row in rows if row.person_ref is None}
        }
        found: dict[UUID, Target] = {}
        for row in rows:
            key = tables[row.key_scope] if row.person_ref is None else persons.get(row.person_ref)
            if key is not None and key.generation != row.generation:
                found[row.record_id] = Target(key=key, person_ref=row.person_ref)
        return found

    def _table_key(self, scope: str) -> DataKey | None:
        try:
            return self.ring.renewed_table_key(scope, self._kind, up_to_id=self.job.table_mark, suite=self._suite)
        except KeyDestroyedError:
            return None

    def left(self) -> int:
        """Count the records whose key was made before the job or for another suite; suspended persons are left out."""
        return sum(self._stale(rows) for rows in self._light())

    def _light(self) -> Iterator[list[tuple[UUID, UUID | None, str, int]]]:
        after = UUID(int=0)
        while True:
            with store.translated(), connection.cursor() as cursor:
                cursor.execute(_LIGHT, [after, self._kind.value, _LIGHT_ROWS])
                rows = cursor.fetchall()
            if not rows:
                return
            yield rows
            after = rows[-1][0]

    def _stale(self, rows: Sequence[tuple[UUID, UUID | None, str, int]]) -> int:
        refs = {ref for _, ref, _, _ in rows if ref is not None}
        fresh: set[tuple[UUID | str, int]] = set()
        barred: set[UUID | str] = set()
        for row in key_store.person_rows(refs, self._kind):
            if row.state in (KeyState.SUSPENDED, KeyState.DESTROYED):
                barred.add(row.person_ref)
            elif row.row_id > self.job.person_mark and row.suite is self._suite:
                fresh.add((row.person_ref, row.generation))
        tables = TableKey.objects.using(key_store.DATABASE).filter(
            scope__in={scope for _, ref, scope, _ in rows if ref is None}, retention_class=self._kind.value
        )
        with key_store.translated():
            for table in tables:
                if table.pk > self.job.table_mark and table.suite == self.job.suite:
                    fresh.add((table.scope, table.generation))
        return sum(
            (ref or scope, generation) not in fresh and (ref or scope) not in barred
            for _, ref, scope, generation in rows
        )


class Merging(_Resealing):
    """Seal the records of one person for another one."""

    def __init__(self, ring: Keyring, job: RotationJob, *, merged: UUID, survivor: UUID) -> None:
        """Move what is `merged`'s to `survivor`."""
        super().__init__(ring, job)
        self._merged = merged
        self._survivor = survivor

    def read(self, after: UUID, limit: int) -> list[StoredRecord]:
        """Return the next records of the merged person."""
        return read_records(_OF_PERSON, [after, self._merged, limit])

    @override
    def targets(self, rows: Sequence[StoredRecord]) -> Mapping[UUID, Target]:
        """Return the survivor's keys, one for each class that occurs."""
        keys = {
            kind: self.ring.person_keys([self._survivor], kind)[self._survivor]
            for kind in {row.retention_class for row in rows}
        }
        return {row.record_id: Target(key=keys[row.retention_class], person_ref=self._survivor) for row in rows}

    def left(self) -> int:
        """Count what still is the merged person's, suspended records among it."""
        with store.translated(), connection.cursor() as cursor:
            cursor.execute(_LEFT_OF_PERSON, [self._merged])
            return int(cursor.fetchone()[0])
