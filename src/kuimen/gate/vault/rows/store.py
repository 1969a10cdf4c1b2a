"""Rows and their seals in the table. Both are always read in one statement, so that they agree."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection

from kuimen.gate.keys.arrays import bytea_array, int_array, uuid_array
from kuimen.gate.vault.store import StoredRecord, stored, translated

Place = tuple[str, str, bytes]
"""Source, table and key of a row."""

# Materialised in this order, or the planner looks the seal up for every record instead of once a row.
_ROWS_OF: Final = """
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT source_key, source_id, source_table FROM vault_record WHERE record_id = ANY(%s::uuid[])
    ), held AS MATERIALIZED (
        SELECT wanted.*, seal.revision, seal.key_generation, seal.tag FROM wanted
        LEFT JOIN vault_row_seal AS seal USING (source_key, source_id, source_table)
    )
    SELECT record.record_id, record.element, record.person_ref, record.key_scope, record.retention_class,
        record.key_generation, record.sealed, record.state, record.source_id, record.source_table, record.source_column,
        record.source_key, held.revision, held.key_generation, held.tag
    FROM held JOIN vault_record AS record USING (source_key, source_id, source_table)
"""
_ROWS_AT: Final = """
    SELECT record.record_id, record.element, record.person_ref, record.key_scope, record.retention_class,
        record.key_generation, record.sealed, record.state, record.source_id, record.source_table, record.source_column,
        record.source_key, seal.revision, seal.key_generation, seal.tag
    FROM vault_record AS record
    LEFT JOIN vault_row_seal AS seal USING (source_key, source_id, source_table)
    WHERE source_id = %s AND source_table = %s AND source_key = ANY(%s::bytea[]) AND record_id <> ALL(%s::uuid[])
"""
_ROWS_AFTER: Final = """
    SELECT record.record_id, record.element, record.person_ref, record.key_scope, record.retention_class,
        record.key_generation, record.sealed, record.state, record.source_id, record.source_table, record.source_column,
        record.source_key, seal.revision, seal.key_generation, seal.tag
    FROM (
        SELECT DISTINCT source_key, source_id, source_table FROM vault_record
        WHERE (source_key, source_id, source_table) > (%s, %s, %s)
        ORDER BY source_key, source_id, source_table LIMIT %s
    ) AS wanted
    JOIN vault_record AS record USING (source_key, source_id, source_table)
    LEFT JOIN vault_row_seal AS seal USING (source_key, source_id, source_table)
    ORDER BY source_key, source_id, source_table
"""
_LOCK: Final = """
    SELECT source_key, revision, key_generation, tag FROM vault_row_seal
    WHERE source_id = %s AND source_table = %s AND source_key = ANY(%s::bytea[])
    ORDER BY source_key FOR NO KEY UPDATE
"""
_INSERT: Final = """
    INSERT INTO vault_row_seal (source_key, source_id, source_table, revision, key_generation, tag)
    SELECT key, %s, %s, revision, generation, tag
    FROM unnest(%s::bytea[], %s::bigint[], %s::int[], %s::bytea[]) AS new (key, revision, generation, tag)
    ORDER BY key
    ON CONFLICT (source_key, source_id, source_table) DO NOTHING
    RETURNING source_key
"""
_UPDATE: Final = """
    UPDATE vault_row_seal AS seal SET revision = new.revision, key_generation = new.generation, tag = new.tag
    FROM unnest(%s::bytea[], %s::bigint[], %s::int[], %s::bytea[]) AS new (key, revision, generation, tag)
    WHERE seal.source_id = %s AND seal.source_table = %s AND seal.source_key = new.key
    RETURNING seal.source_key
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A seal as it stands in the table."""

    revision: int
    generation: int
    tag: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRow:
    """A row: its records of every state, and its seal where it has one."""

    place: Place
    members: tuple[StoredRecord, ...]
    seal: Seal | None


def place_of(record: StoredRecord) -> Place:
    """Return the row that a record belongs to."""
    source_id, table, _, key = record.coordinates
    return (source_id, table, key)


def rows_of(record_ids: Collection[UUID]) -> list[StoredRow]:
    """Return the whole row of each record, once. One statement; about three times the rows of the records alone."""
    with translated(), connection.cursor() as cursor:
        cursor.execute(_ROWS_OF, [uuid_array(record_ids)])
        return _grouped(cursor.fetchall())


def rows_after(place: Place | None, limit: int) -> list[StoredRow]:
    """Return the next rows in the order of their keys, for a walk through all of them."""
    source_id, table, key = place or ("", "", b"")
    with translated(), connection.cursor() as cursor:
        cursor.execute(_ROWS_AFTER, [key, source_id, table, limit])
        return _grouped(cursor.fetchall())


def locked_rows(places: Iterable[Place], *, without: Collection[UUID] = ()) -> dict[Place, StoredRow]:
    """Lock the seals of rows until the transaction ends, then read the rows as they stand then.

    Args:
        places: which rows.
        without: records to leave out, such as those that this transaction has just inserted.

    Returns:
        Every place that has a seal or a record.
    """
    groups: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for source_id, table, key in places:
        groups[source_id, table].append(key)
    found: dict[Place, StoredRow] = {}
    with translated(), connection.cursor() as cursor:
        for (source_id, table), keys in sorted(groups.items()):
            chosen = bytea_array(keys)
            cursor.execute(_LOCK, [source_id, table, chosen])
            for key, revision, generation, tag in cursor.fetchall():
                place = (source_id, table, bytes(key))
                seal = Seal(revision=revision, generation=generation, tag=bytes(tag))
                found[place] = StoredRow(place=place, members=(), seal=seal)
            cursor.execute(_ROWS_AT, [source_id, table, chosen, uuid_array(without)])
            found |= {row.place: row for row in _grouped(cursor.fetchall())}
    return found


def insert_seals(seals: Iterable[tuple[Place, Seal]]) -> set[Place]:
    """Insert the first seals of rows; return the rows that had none until now."""
    return _write(seals, lambda place, arrays: (_INSERT, [*place, *arrays]))


def update_seals(seals: Iterable[tuple[Place, Seal]]) -> set[Place]:
    """Write over seals that the transaction holds locked; return their rows."""
    return _write(seals, lambda place, arrays: (_UPDATE, [*arrays, *place]))


def _write(seals: Iterable[tuple[Place, Seal]], statement: Any) -> set[Place]:  # noqa: ANN401 - see both callers
    groups: dict[tuple[str, str], list[tuple[bytes, Seal]]] = defaultdict(list)
    for (source_id, table, key), seal in seals:
        groups[source_id, table].append((key, seal))
    written: set[Place] = set()
    with translated(), connection.cursor() as cursor:
        for (source_id, table), members in sorted(groups.items(), key=lambda group: group[0]):
            arrays = [
                bytea_array(key for key, _ in members),
                int_array(seal.revision for _, seal in members),
                int_array(seal.generation for _, seal in members),
                bytea_array(seal.tag for _, seal in members),
            ]
            cursor.execute(*statement((source_id, table), arrays))
            written |= {(source_id, table, bytes(key)) for (key,) in cursor.fetchall()}
    return written


def _grouped(found: Sequence[Sequence[Any]]) -> list[StoredRow]:
    rows: dict[Place, tuple[list[StoredRecord], Seal | None]] = {}
    for columns in found:
        record = stored(columns[:12])
        revision, generation, tag = columns[12:]
        place = place_of(record)
        held = rows.get(place)
        if held is None:
            seal = None if revision is None else Seal(revision=revision, generation=generation, tag=bytes(tag))
            held = rows[place] = ([], seal)
        held[0].append(record)
    return [StoredRow(place=place, members=tuple(members), seal=seal) for place, (members, seal) in rows.items()]
