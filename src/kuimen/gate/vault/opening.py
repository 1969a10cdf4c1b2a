"""Opening sealed values. Only disclosure may import :func:`open_records`; a test holds that.

A value that does not open where it stands raises the alarm: the entry is committed whatever becomes of the transaction
around it, then the error is raised, and nothing of the whole batch is handed out.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

import pyarrow as pa

from kuimen.foundation.identifiers import RecordId
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.errors import KeyMissingError
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.material import DataKey
from kuimen.gate.keys.rules import KeySuite
from kuimen.gate.vault import store
from kuimen.gate.vault.errors import RecordNotFoundError, SealedValueTamperedError
from kuimen.gate.vault.sealing import CONTEXT_OF_ALL
from kuimen.gate.vault.store import StoredRecord
from kuimen.kernels.ciphers import Sealer, build_aad
from kuimen.kernels.elements.model import RetentionClass

_NAMED_IN_ALARM: Final = 20


def open_records(record_ids: Collection[UUID], *, purpose: str) -> dict[RecordId, Sensitive[str]]:
    """Open records and return their values, wrapped. Cost: one query, one query for the keys, about 5 µs a value.

    Args:
        record_ids: which; each is opened once.
        purpose: non-empty; what the caller has decided and records.

    Raises:
        ValueError: `purpose` is empty, a defect of the caller.
        RecordNotFoundError: an id is not in the vault.
        SealedValueTamperedError: at least one does not open where it stands; the alarm is recorded, none is returned.
        KeysLockedError, KeyDestroyedError, KeyMissingError, KeyStoreError, VaultBusyError: as named.
    """
    if not purpose:
        msg = "opening needs a purpose"
        raise ValueError(msg)
    wanted = set(record_ids)
    if not wanted:
        return {}
    stored = store.by_ids(wanted)
    if len(stored) != len(wanted):
        raise RecordNotFoundError(f"{len(wanted) - len(stored)} of the record ids are not in the vault")
    clear = open_stored(keys.keyring(), stored)
    return {
        RecordId(record.record_id): Sensitive(clear[record.record_id].decode("utf-8"), element=record.element)
        for record in stored
    }


def open_stored(ring: Keyring, records: Sequence[StoredRecord]) -> dict[UUID, bytes]:
    """Open stored rows and return their clear bytes; for the vault's own comparisons.

    Raises:
        SealedValueTamperedError: at least one does not open where it stands; the alarm is recorded.
    """
    opened, broken = try_open(ring, records)
    if broken:
        _alarm(broken)
        raise SealedValueTamperedError(broken)
    return opened


def try_open(ring: Keyring, records: Sequence[StoredRecord]) -> tuple[dict[UUID, bytes], list[UUID]]:
    """Return the clear bytes of what opens and the ids of what does not; raises no alarm, for probes only read."""
    wanted: dict[RetentionClass, set[tuple[UUID, int]]] = defaultdict(set)
    for record in records:
        if record.person_ref is not None:
            wanted[record.retention_class].add((record.person_ref, record.generation))
    person_keys = {kind: ring.person_keys_at(pairs, kind) for kind, pairs in wanted.items()}
    found = [(record, _key_of(ring, person_keys, record)) for record in records]
    held: dict[KeySuite, list[tuple[StoredRecord, DataKey]]] = defaultdict(list)
    for record, key in found:
        if key is not None:
            held[key.suite].append((record, key))
    clear = {
        record.record_id: value
        for rows in held.values()
        for (record, _), value in zip(rows, _open_column(ring, rows), strict=True)
    }
    opened = {ref: value for ref, value in clear.items() if value is not None}
    return opened, [record.record_id for record in records if record.record_id not in opened]


def _open_column(ring: Keyring, rows: Sequence[tuple[StoredRecord, DataKey]]) -> list[bytes | None]:
    """Open rows of one suite, each with its own key and context; None where a row does not open."""
    institution = ring.institution_id.bytes
    contexts = [
        build_aad(
            institution,
            record=record.record_id,
            element=record.element,
            person=record.person_ref,
            retention_class=record.retention_class.value,
            generation=record.generation,
        )
        for record, _ in rows
    ]
    _, first = rows[0]
    column = Sealer.for_key(first.key, first.suite.value).open_column(
        pa.array([record.sealed for record, _ in rows], type=pa.large_binary()),
        CONTEXT_OF_ALL,
        row_aad=contexts,
        row_keys=[key.key for _, key in rows],
        errors="null",
        as_text=False,
    )
    values: list[bytes | None] = column.to_pylist()
    return values


def _key_of(
    ring: Keyring, person_keys: Mapping[RetentionClass, Mapping[tuple[UUID, int], DataKey]], record: StoredRecord
) -> DataKey | None:
    """Return the key a record names, or None where there is none: then the record was moved or its key row removed."""
    if record.person_ref is not None:
        return person_keys[record.retention_class].get((record.person_ref, record.generation))
    try:
        return ring.table_key(record.key_scope, record.retention_class, record.generation)
    except KeyMissingError:
        return None


def _alarm(broken: Sequence[UUID]) -> None:
    audit.record_refusal(
        "vault.tamper_alarm",
        actor=audit.SYSTEM,
        object_type="vault",
        object_ref=str(broken[0]),
        outcome=audit.Outcome.FAILED,
        facts={"records": len(broken), "first": [str(one) for one in broken[:_NAMED_IN_ALARM]]},
    )
