"""Reading and writing records in bulk, with every driver error translated: its text may quote a row."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import Error, connection

from kuimen.gate.keys.arrays import bytea_array, int_array, uuid_array
from kuimen.gate.vault.errors import VaultBusyError
from kuimen.gate.vault.rules import RecordState
from kuimen.gate.vault.sealing import Coordinates, SealedItem
from kuimen.kernels.elements.model import RetentionClass


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """One row of the record table."""

    record_id: UUID
    element: str
    person_ref: UUID | None
    key_scope: str
    retention_class: RetentionClass
    generation: int
    sealed: bytes
    state: RecordState
    coordinates: Coordinates


@contextmanager
def translated() -> Iterator[None]:
    """Turn a driver error into one that says only what to do."""
    try:
        yield
    except Error:
        raise VaultBusyError("the vault's database did not do its work; nothing was written, try again") from None


_INSERT = """
    INSERT INTO vault_record
        (record_id, person_ref, key_generation, sealed, source_key, element, key_scope, retention_class,
         source_id, source_table, source_column, state, sealed_at)
    SELECT record_id, person_ref, generation, sealed, source_key, %s, %s, %s, %s, %s, %s, %s, %s
    FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::bytea[], %s::bytea[])
        AS new (record_id, person_ref, generation, sealed, source_key)
    ON CONFLICT (source_key, source_id, source_table, source_column) DO NOTHING
    RETURNING record_id
"""
_INSERT_TAGS = """
    INSERT INTO vault_index (record_id, element, generation, tag)
    SELECT new.record_id, record.element, generation, tag
    FROM unnest(%s::uuid[], %s::int[], %s::bytea[]) AS new (record_id, generation, tag)
    JOIN vault_record AS record ON record.record_id = new.record_id
"""
_DELETE_TAGS = "DELETE FROM vault_index WHERE record_id = ANY(%s::uuid[])"
_SELECT_AT = """
    SELECT record_id, element, person_ref, key_scope, retention_class, key_generation, sealed, state,
        source_id, source_table, source_column, source_key
    FROM vault_record
    WHERE source_id = %s AND source_table = %s AND source_column = %s AND source_key = ANY(%s::bytea[])
    ORDER BY source_key FOR UPDATE
"""
_SELECT_IDS = """
    SELECT record_id, element, person_ref, key_scope, retention_class, key_generation, sealed, state,
        source_id, source_table, source_column, source_key
    FROM vault_record WHERE record_id = ANY(%s::uuid[])
"""
_RESEAL = """
    UPDATE vault_record SET person_ref = %s, key_scope = %s, element = %s, retention_class = %s, key_generation = %s,
        sealed = %s, sealed_at = %s
    WHERE record_id = %s
"""


def insert(sealed: Sequence[SealedItem], *, sealed_at: datetime) -> set[UUID]:
    """Insert pending records and their tags; return the ids that were new.

    Rows go in the order of their source key, so that two jobs on one table wait for each other instead of locking up.
    """
    created: set[UUID] = set()
    groups: dict[tuple[str, str, str, str, str, str], list[SealedItem]] = defaultdict(list)
    for one in sealed:
        item = one.item
        constants = (
            item.element.value,
            one.key_scope,
            one.retention_class.value,
            item.source_id,
            item.source_table,
            item.source_column,
        )
        groups[constants].append(one)
    with translated(), connection.cursor() as cursor:
        for constants, members in sorted(groups.items()):
            members.sort(key=lambda one: one.item.source_key)
            cursor.execute(
                _INSERT,
                [
                    *constants,
                    RecordState.PENDING.value,
                    sealed_at,
                    uuid_array(one.record_id for one in members),
                    uuid_array(one.item.person_ref for one in members),
                    int_array(one.generation for one in members),
                    bytea_array(one.sealed for one in members),
                    bytea_array(one.item.source_key for one in members),
                ],
            )
            created.update(row[0] for row in cursor.fetchall())
    insert_tags(one for one in sealed if one.record_id in created)
    return created


def insert_tags(sealed: Iterable[SealedItem]) -> None:
    """Insert the index rows of the searchable ones."""
    tagged = [(one.record_id, generation, tag) for one in sealed for generation, tag in one.tags]
    if not tagged:
        return
    with translated(), connection.cursor() as cursor:
        cursor.execute(
            _INSERT_TAGS,
            [
                uuid_array(record_id for record_id, _, _ in tagged),
                int_array(generation for _, generation, _ in tagged),
                bytea_array(tag for _, _, tag in tagged),
            ],
        )


def locked_at(coordinates: Iterable[Coordinates]) -> list[StoredRecord]:
    """Return the records at these source coordinates, locked until the transaction ends."""
    groups: dict[tuple[str, str, str], list[bytes]] = defaultdict(list)
    for source_id, table, column, key in coordinates:
        groups[(source_id, table, column)].append(key)
    found: list[StoredRecord] = []
    with translated(), connection.cursor() as cursor:
        for place, keys in sorted(groups.items()):
            cursor.execute(_SELECT_AT, [*place, bytea_array(keys)])
            found.extend(stored(row) for row in cursor.fetchall())
    return found


def by_ids(record_ids: Collection[UUID]) -> list[StoredRecord]:
    """Return the records of these ids; absent ones are left out."""
    with translated(), connection.cursor() as cursor:
        cursor.execute(_SELECT_IDS, [uuid_array(record_ids)])
        return [stored(row) for row in cursor.fetchall()]


def reseal(sealed: Sequence[SealedItem], *, sealed_at: datetime) -> None:
    """Write new sealed bytes over existing records and rebuild their tags."""
    if not sealed:
        return
    with translated(), connection.cursor() as cursor:
        for one in sealed:
            cursor.execute(
                _RESEAL,
                [
                    one.item.person_ref,
                    one.key_scope,
                    one.item.element.value,
                    one.retention_class.value,
                    one.generation,
                    one.sealed,
                    sealed_at,
                    one.record_id,
                ],
            )
        cursor.execute(_DELETE_TAGS, [uuid_array(one.record_id for one in sealed)])
    insert_tags(sealed)


_CLASSES = {one.value: one for one in RetentionClass}  # several times quicker than calling the enum
_STATES = {one.value: one for one in RecordState}


def stored(row: Sequence[Any]) -> StoredRecord:
    """Read a row of the SELECTs of this room."""
    record_id, element, person_ref, scope, kind, generation, sealed, state, source_id, table, column, key = row
    return StoredRecord(
        record_id=record_id,
        element=element,
        person_ref=person_ref,
        key_scope=scope,
        retention_class=_CLASSES[kind],
        generation=generation,
        sealed=bytes(sealed),
        state=_STATES[state],
        coordinates=(source_id, table, column, bytes(key)),
    )
