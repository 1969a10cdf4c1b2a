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
from kuimen.gate.keys.rules import KeyState, KeySuite, RetentionClass

DATABASE: Final = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedPersonKey:
    """One row of the person-key table."""

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
    SELECT person_ref, generation, suite, domain_version, wrapped, state FROM keys_personkey
    WHERE retention_class = %s AND person_ref = ANY(%s::uuid[]) ORDER BY person_ref, generation
"""
_INSERT_PERSONS = """
    INSERT INTO keys_personkey
        (person_ref, generation, wrapped, retention_class, suite, domain_version, state, created_at)
    SELECT ref, generation, wrapped, %s, %s, %s, %s, %s
    FROM unnest(%s::uuid[], %s::int[], %s::bytea[]) AS new (ref, generation, wrapped)
    ON CONFLICT DO NOTHING
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
                person_ref=ref,
                generation=generation,
                suite=KeySuite(suite),
                domain_version=version,
                wrapped=None if wrapped is None else bytes(wrapped),
                state=KeyState(state),
            )
            for ref, generation, suite, version, wrapped, state in cursor.fetchall()
        ]


def insert_person_rows(
    rows: Sequence[tuple[UUID, int, bytes]],
    *,
    retention_class: RetentionClass,
    suite: KeySuite,
    domain_version: int,
    created_at: datetime,
) -> int:
    """Insert (person, generation, wrapped) rows and return how many were new.

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
                uuid_array(refs),
                int_array(generations),
                bytea_array(wrapped),
            ],
        )
        return int(cursor.rowcount)
