"""Opening sealed values. Only disclosure may import :func:`open_records`; a test holds that.

A value that does not open where it stands raises the alarm: the entry is committed whatever becomes of the transaction
around it, then the error is raised, and nothing of the whole batch is handed out.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from kuimen.foundation.identifiers import RecordId
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.errors import KeyMissingError
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.material import DataKey
from kuimen.gate.vault import store
from kuimen.gate.vault.errors import RecordNotFoundError, SealedValueTamperedError
from kuimen.gate.vault.sealing import CONTEXT_OF_ALL
from kuimen.gate.vault.store import StoredRecord
from kuimen.kernels.ciphers import SealBrokenError, build_aad, open_sealed
from kuimen.kernels.elements.model import RetentionClass

_NAMED_IN_ALARM: Final = 20


def open_records(record_ids: Collection[UUID], *, purpose: str) -> dict[RecordId, Sensitive[str]]:
    """Open records and return their values, wrapped. Cost: one query, one query for the keys, about 15 µs a value.

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
    institution = ring.institution_id.bytes
    opened: dict[UUID, bytes] = {}
    broken: list[UUID] = []
    for record in records:
        key = _key_of(ring, person_keys, record)
        if key is None:
            broken.append(record.record_id)
            continue
        context = build_aad(
            institution,
            record=record.record_id,
            element=record.element,
            person=record.person_ref,
            retention_class=record.retention_class.value,
            generation=record.generation,
        )
        try:
            opened[record.record_id] = open_sealed(key.key, record.sealed, aad=CONTEXT_OF_ALL, row_aad=context)
        except SealBrokenError:
            broken.append(record.record_id)
    return opened, broken


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
