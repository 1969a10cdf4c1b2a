"""Reading and writing wrapped keys in bulk. Nothing here can open one."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import Error, connections, transaction

from kuimen.gate.keys.arrays import bytea_array, int_array, uuid_array
from kuimen.gate.keys.errors import KeyStoreError
from kuimen.gate.keys.rules import LEASE_BLOCKS, KeyState, KeySuite, LeasedKind, RetentionClass

DATABASE: Final = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedPersonKey:
    """One row of the person-key table."""

    row_id: int
    person_ref: UUID
    generation: int
    suite: KeySuite
    domain_version: int
    wrapped: bytes | None
    state: KeyState


@contextmanager
def translated() -> Iterator[None]:
    """Turn a driver error, whose text may quote a row, into one that says only what to do."""
    try:
        yield
    except Error:
        raise KeyStoreError("the key database did not do its work; check that it is up and try again") from None


_SELECT_PERSONS = """
    SELECT id, person_ref, generation, suite, domain_version, wrapped, state FROM keys_personkey
    WHERE retention_class = %s AND person_ref = ANY(%s::uuid[]) ORDER BY person_ref, generation
"""
_INSERT_PERSONS = """
    INSERT INTO keys_personkey
        (person_ref, generation, wrapped, retention_class, suite, domain_version, state, created_at, uses_leased)
    SELECT ref, generation, wrapped, %s, %s, %s, %s, %s, %s
    FROM unnest(%s::uuid[], %s::int[], %s::bytea[]) AS new (ref, generation, wrapped)
    ON CONFLICT DO NOTHING
    RETURNING person_ref, generation
"""
_DOMAIN_HELD = """
    SELECT state FROM keys_domainkey WHERE retention_class = %s AND version = %s FOR SHARE
"""
_RETIRE_PERSONS = """
    WITH held AS (
        SELECT id FROM keys_personkey
        WHERE retention_class = %s AND person_ref = ANY(%s::uuid[]) AND state = %s AND (id <= %s OR suite <> %s)
        ORDER BY id FOR UPDATE
    )
    UPDATE keys_personkey AS keys SET state = %s FROM held WHERE keys.id = held.id RETURNING keys.person_ref
"""


def epoch() -> int:
    """Return the epoch of the key database; it grows with every suspension, restoration and destruction."""
    with translated(), connections[DATABASE].cursor() as cursor:
        cursor.execute("SELECT value FROM keys_epoch")
        return int(cursor.fetchone()[0])


def next_epoch() -> None:
    """Begin a new epoch inside the transaction of the change, so that no other process serves from its cache."""
    with translated(), connections[DATABASE].cursor() as cursor:
        cursor.execute("UPDATE keys_epoch SET value = value + 1")


def person_rows(refs: Collection[UUID], retention_class: RetentionClass) -> list[WrappedPersonKey]:
    """Return every generation of the persons' keys in one class, oldest first. One round trip."""
    with translated(), connections[DATABASE].cursor() as cursor:
        cursor.execute(_SELECT_PERSONS, [retention_class.value, uuid_array(refs)])
        return [
            WrappedPersonKey(
                row_id=row_id,
                person_ref=ref,
                generation=generation,
                suite=KeySuite(suite),
                domain_version=version,
                wrapped=None if wrapped is None else bytes(wrapped),
                state=KeyState(state),
            )
            for row_id, ref, generation, suite, version, wrapped, state in cursor.fetchall()
        ]


def insert_person_rows(
    rows: Sequence[tuple[UUID, int, bytes]],
    *,
    retention_class: RetentionClass,
    suite: KeySuite,
    domain_version: int,
    created_at: datetime,
) -> set[tuple[UUID, int]]:
    """Insert (person, generation, wrapped) rows, each with its first lease, and return which were new.

    Another process may have made some of them meanwhile; its rows win and stay.
    """
    refs, generations, wrapped = zip(*rows, strict=True)
    with translated(), transaction.atomic(using=DATABASE), connections[DATABASE].cursor() as cursor:
        cursor.execute(
            _INSERT_PERSONS,
            [
                retention_class.value,
                suite.value,
                domain_version,
                KeyState.ACTIVE.value,
                created_at,
                LEASE_BLOCKS[LeasedKind.PERSON],
                uuid_array(refs),
                int_array(generations),
                bytea_array(wrapped),
            ],
        )
        return set(cursor.fetchall())


def hold_active_domain(retention_class: RetentionClass, version: int) -> bool:
    """Return whether a version of a domain key is the active one, and keep it so until the transaction ends."""
    with translated(), connections[DATABASE].cursor() as cursor:
        cursor.execute(_DOMAIN_HELD, [retention_class.value, version])
        return bool(cursor.fetchone() == (KeyState.ACTIVE.value,))


def retire_person_rows(
    refs: Collection[UUID], retention_class: RetentionClass, *, up_to_id: int, suite: KeySuite
) -> set[UUID]:
    """Retire the active keys that are older than a mark or of another suite; return whose they were."""
    with translated(), connections[DATABASE].cursor() as cursor:
        cursor.execute(
            _RETIRE_PERSONS,
            [
                retention_class.value,
                uuid_array(refs),
                KeyState.ACTIVE.value,
                up_to_id,
                suite.value,
                KeyState.RETIRED.value,
            ],
        )
        return {row[0] for row in cursor.fetchall()}
