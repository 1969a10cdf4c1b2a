"""Opening stored rows in columns: the work under every door of this room. Nobody outside of it may import this."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import pyarrow as pa

from kuimen.gate.keys import store as key_store
from kuimen.gate.keys.errors import KeyDestroyedError, KeyMissingError
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.material import DataKey
from kuimen.gate.keys.rules import KeyState, KeySuite, RetentionClass
from kuimen.gate.vault.sealing import CONTEXT_OF_ALL
from kuimen.gate.vault.store import StoredRecord
from kuimen.kernels.ciphers import Sealer, build_aad

CONTEXT_WITHOUT_ROW: Final = b"kuimen.vault"  # what releases before the row seal wrote; it opens still


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """What became of records whose keys were at hand.

    Attributes:
        clear: the clear bytes of each record that opens where it stands.
        tied: those among them whose context says that they belong to a row with a seal.
        broken: records that do not open.
    """

    clear: dict[UUID, bytes] = field(repr=False)
    tied: set[UUID]
    broken: list[UUID]


def context_of(ring: Keyring, record: StoredRecord, *, person: UUID | None, generation: int) -> bytes:
    """Return the context that binds a record."""
    return build_aad(
        ring.institution_id.bytes,
        record=record.record_id,
        element=record.element,
        person=person,
        retention_class=record.retention_class.value,
        generation=generation,
    )


def unsealed(ring: Keyring, held: Sequence[tuple[StoredRecord, DataKey]]) -> Unsealed:
    """Open records with their keys, a column for each suite."""
    clear: dict[UUID, bytes] = {}
    tied: set[UUID] = set()
    broken: list[UUID] = []
    by_suite: dict[KeySuite, list[tuple[StoredRecord, DataKey]]] = defaultdict(list)
    for record, key in held:
        by_suite[key.suite].append((record, key))
    for members in by_suite.values():
        waiting = members
        for context in (CONTEXT_OF_ALL, CONTEXT_WITHOUT_ROW):
            values = _opened(ring, waiting, context) if waiting else []
            found = {
                record.record_id: value for (record, _), value in zip(waiting, values, strict=True) if value is not None
            }
            clear |= found
            if context is CONTEXT_OF_ALL:
                tied |= found.keys()
            waiting = [(record, key) for record, key in waiting if record.record_id not in found]
        broken += [record.record_id for record, _ in waiting]
    return Unsealed(clear=clear, tied=tied, broken=broken)


def _opened(ring: Keyring, rows: Sequence[tuple[StoredRecord, DataKey]], context: bytes) -> list[bytes | None]:
    _, first = rows[0]
    column = Sealer.for_key(first.key, first.suite.value).open_column(
        pa.array([record.sealed for record, _ in rows], type=pa.large_binary()),
        context,
        row_aad=[
            context_of(ring, record, person=record.person_ref, generation=record.generation) for record, _ in rows
        ],
        row_keys=[key.key for _, key in rows],
        errors="null",
        as_text=False,
    )
    values: list[bytes | None] = column.to_pylist()
    return values


def keys_in_use(ring: Keyring, rows: Sequence[StoredRecord]) -> dict[UUID, DataKey | None]:
    """Return the key of each record, None where its generation is missing; a suspended or destroyed one is left out."""
    wanted: dict[RetentionClass, set[tuple[UUID, int]]] = defaultdict(set)
    for row in rows:
        if row.person_ref is not None:
            wanted[row.retention_class].add((row.person_ref, row.generation))
    persons = {kind: ring.open_person_keys(pairs, kind) for kind, pairs in wanted.items()}
    barred = {kind: _barred({ref for ref, _ in pairs}, kind) for kind, pairs in wanted.items()}
    found: dict[UUID, DataKey | None] = {}
    for row in rows:
        if row.person_ref is None:
            try:
                found[row.record_id] = ring.table_key(row.key_scope, row.retention_class, row.generation)
            except KeyMissingError:
                found[row.record_id] = None
            except KeyDestroyedError:
                continue
        elif row.person_ref not in barred[row.retention_class]:
            found[row.record_id] = persons[row.retention_class].get((row.person_ref, row.generation))
    return found


def _barred(refs: set[UUID], kind: RetentionClass) -> set[UUID]:
    ended = (KeyState.SUSPENDED, KeyState.DESTROYED)
    return {row.person_ref for row in key_store.person_rows(refs, kind) if row.state in ended}
