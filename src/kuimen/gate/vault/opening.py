"""Opening sealed values. Only disclosure may import :func:`open_records`; a test holds that.

A value that does not open where it stands, or whose row does not fit its seal, raises the alarm: the entry is committed
whatever becomes of the transaction around it, then the error is raised, and nothing of the whole batch is handed out.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from kuimen.foundation.identifiers import RecordId
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.errors import KeyMissingError
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.material import DataKey
from kuimen.gate.vault.errors import RecordNotFoundError, SealedValueTamperedError
from kuimen.gate.vault.rows.store import StoredRow, rows_of
from kuimen.gate.vault.rows.tying import alarmed, broken_rows
from kuimen.gate.vault.store import StoredRecord
from kuimen.gate.vault.unsealing import unsealed
from kuimen.kernels.elements.model import RetentionClass

_NAMED_IN_ALARM: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What opened, and what is wrong with the rest.

    Attributes:
        records: the wanted records.
        values: the clear bytes of each, None where it does not open where it stands.
        altered: rows that do not fit their seal, or that lost it.
        unsealed: rows of an earlier release, which have no seal yet: nobody can say whether a field was put back.
    """

    records: list[StoredRecord]
    values: list[bytes | None] = field(repr=False)
    altered: list[StoredRow]
    unsealed: int

    @property
    def broken(self) -> list[UUID]:
        """Return the records that do not open where they stand."""
        return [one.record_id for one, value in zip(self.records, self.values, strict=True) if value is None]


def open_records(record_ids: Collection[UUID], *, purpose: str) -> dict[RecordId, Sensitive[str]]:
    """Open records and return their values, wrapped. Cost: one query, one query for the keys, about 10 µs a value.

    Args:
        record_ids: which; each is opened once.
        purpose: non-empty; what the caller has decided and records.

    Raises:
        ValueError: `purpose` is empty, a defect of the caller.
        RecordNotFoundError: an id is not in the vault.
        SealedValueTamperedError: at least one does not open where it stands; the alarm is recorded, none is returned.
        RowAlteredError: each opens, but a field of a row was put back, added or removed; as above.
        KeysLockedError, KeyDestroyedError, KeyMissingError, KeyStoreError, VaultBusyError: as named.
    """
    if not purpose:
        msg = "opening needs a purpose"
        raise ValueError(msg)
    wanted = set(record_ids)
    if not wanted:
        return {}
    rows = rows_of(wanted)
    tried = try_open(keys.keyring(), rows, wanted)
    if len(tried.records) != len(wanted):
        raise RecordNotFoundError(f"{len(wanted) - len(tried.records)} of the record ids are not in the vault")
    refuse_broken(tried.broken)
    if tried.altered:
        raise alarmed(tried.altered, wanted=wanted)
    return {
        RecordId(record.record_id): Sensitive(value.decode("utf-8"), element=record.element)
        for record, value in zip(tried.records, tried.values, strict=True)
        if value is not None
    }


def open_stored(ring: Keyring, records: Sequence[StoredRecord]) -> dict[UUID, bytes]:
    """Open stored records whose rows the vault has checked, for its own comparisons; return their clear bytes.

    Raises:
        SealedValueTamperedError: at least one does not open where it stands; the alarm is recorded.
    """
    opened = open_each(ring, records)
    refuse_broken([record.record_id for record in records if record.record_id not in opened])
    return opened


def open_each(ring: Keyring, records: Sequence[StoredRecord]) -> dict[UUID, bytes]:
    """Return the clear bytes of what opens, whatever its row is like; raises no alarm."""
    values = unsealed(ring, records, _keys_of(ring, records)).values
    return {one.record_id: value for one, value in zip(records, values, strict=True) if value is not None}


def try_open(ring: Keyring, rows: Sequence[StoredRow], wanted: Collection[UUID]) -> Tried:
    """Open the wanted records of rows and check the rows; raises no alarm, for probes only read."""
    chosen = set(wanted)
    records = [one for row in rows for one in row.members if one.record_id in chosen]
    found = unsealed(ring, records, _keys_of(ring, records))
    bare = [row for row in rows if row.seal is None]
    robbed: list[StoredRow] = []
    if bare:
        tied = {one.record_id for one, held in zip(records, found.tied, strict=True) if held}
        robbed = [row for row in bare if any(one.record_id in tied for one in row.members)]
    return Tried(
        records=records,
        values=found.values,
        altered=[*broken_rows(ring, rows), *robbed],
        unsealed=len(bare) - len(robbed),
    )


def refuse_broken(broken: Sequence[UUID]) -> None:
    """Raise the alarm where records do not open.

    Raises:
        SealedValueTamperedError: there are some; the alarm is recorded.
    """
    if not broken:
        return
    audit.record_refusal(
        "vault.tamper_alarm",
        actor=audit.SYSTEM,
        object_type="vault",
        object_ref=str(broken[0]),
        outcome=audit.Outcome.FAILED,
        facts={"records": len(broken), "first": [str(one) for one in broken[:_NAMED_IN_ALARM]]},
    )
    raise SealedValueTamperedError(broken)


def _keys_of(ring: Keyring, records: Sequence[StoredRecord]) -> list[DataKey | None]:
    """Return the key that each record names, None where there is none: it was moved, or its key row removed.

    Raises:
        KeyDestroyedError: a key was suspended or destroyed.
    """
    wanted: dict[RetentionClass, set[tuple[UUID, int]]] = defaultdict(set)
    for record in records:
        if record.person_ref is not None:
            wanted[record.retention_class].add((record.person_ref, record.generation))
    persons = {kind: ring.person_keys_at(pairs, kind) for kind, pairs in wanted.items()}
    return [_key_of(ring, persons, record) for record in records]


def _key_of(
    ring: Keyring, person_keys: Mapping[RetentionClass, Mapping[tuple[UUID, int], DataKey]], record: StoredRecord
) -> DataKey | None:
    if record.person_ref is not None:
        return person_keys[record.retention_class].get((record.person_ref, record.generation))
    try:
        return ring.table_key(record.key_scope, record.retention_class, record.generation)
    except KeyMissingError:
        return None
