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
    """What became of records, in their order.

    Attributes:
        values: the clear bytes of each, None where it does not open where it stands.
        tied: whether its context says that it belongs to a row with a seal.
    """

    values: list[bytes | None] = field(repr=False)
    tied: list[bool]


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


def unsealed(ring: Keyring, records: Sequence[StoredRecord], keys: Sequence[DataKey | None]) -> Unsealed:
    """Open records, a column for each suite; one without a key does not open."""
    values: list[bytes | None] = [None] * len(records)
    tied = [False] * len(records)
    by_suite: dict[KeySuite, list[int]] = defaultdict(list)
    for at, key in enumerate(keys):
        if key is not None:
            by_suite[key.suite].append(at)
    for waiting in by_suite.values():
        for context in (CONTEXT_OF_ALL, CONTEXT_WITHOUT_ROW):
            chosen = [at for at in waiting if values[at] is None]
            if not chosen:
                break
            held = [key for at in chosen if (key := keys[at]) is not None]
            opened = _opened(ring, [records[at] for at in chosen], held, context)
            for at, value in zip(chosen, opened, strict=True):
                values[at] = value
                tied[at] = value is not None and context is CONTEXT_OF_ALL
    return Unsealed(values=values, tied=tied)


def _opened(
    ring: Keyring, records: Sequence[StoredRecord], keys: Sequence[DataKey], context: bytes
) -> list[bytes | None]:
    column = Sealer.for_key(keys[0].key, keys[0].suite.value).open_column(
        pa.array([record.sealed for record in records], type=pa.large_binary()),
        context,
        row_aad=[
            context_of(ring, record, person=record.person_ref, generation=record.generation) for record in records
        ],
        row_keys=[key.key for key in keys],
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
