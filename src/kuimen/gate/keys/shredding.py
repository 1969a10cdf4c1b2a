"""The shred ledger in the key database, and the destruction of keys that each of its lines orders.

A line, the destruction and the new epoch are one transaction. What a line says and how it is signed is decided above;
here it is kept, in order, and carried out again wherever a restored backup brought a key back.

Clause: JRT0171-6.1.5-a, JRT0171-6.2.4-a
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connections, transaction

from kuimen.gate.keys import store
from kuimen.gate.keys.errors import KeyMissingError, KeyTransitionError, ShredOrderError
from kuimen.gate.keys.models import PersonKey, Shred
from kuimen.gate.keys.rules import KeyState, RetentionClass

LOCK: Final = 0x7368_7265_64  # "shred": one line at a time

_DESTROY = """
    UPDATE keys_personkey SET state = %s, wrapped = NULL WHERE person_ref = %s AND retention_class = %s AND state <> %s
"""
_DESTROY_AGAIN = """
    UPDATE keys_personkey AS held SET state = %s, wrapped = NULL
    FROM keys_shred AS shred
    WHERE shred.person_ref = held.person_ref AND shred.retention_class = held.retention_class AND held.state <> %s
"""
_CLASSES = """
    SELECT DISTINCT person_ref, retention_class FROM keys_personkey
    WHERE state <> %s AND person_ref IN (
        SELECT DISTINCT person_ref FROM keys_personkey
        WHERE state <> %s AND (%s::uuid IS NULL OR person_ref > %s) ORDER BY person_ref LIMIT %s
    )
    ORDER BY person_ref, retention_class
"""
_COUNT_ALIVE = """
    SELECT count(*) FROM keys_shred AS shred JOIN keys_personkey AS held USING (person_ref, retention_class)
    WHERE held.state <> %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShredLine:
    """One signed line: `body` is what was signed, byte for byte, and names person and class as the columns do."""

    seq: int
    person_ref: UUID
    retention_class: RetentionClass
    body: bytes
    signature: bytes
    key_id: str
    public_key: bytes


def persons_with_keys(*, after: UUID | None, limit: int) -> dict[UUID, list[RetentionClass]]:
    """Return the next persons, in the order of their references, with the classes of which a key still exists."""
    destroyed = KeyState.DESTROYED.value
    found: dict[UUID, list[RetentionClass]] = {}
    with store.translated(), connections[store.DATABASE].cursor() as cursor:
        cursor.execute(_CLASSES, [destroyed, destroyed, after, after, limit])
        for person_ref, kind in cursor.fetchall():
            found.setdefault(person_ref, []).append(RetentionClass(kind))
    return found


def keys_of(person_ref: UUID) -> dict[RetentionClass, list[tuple[int, KeyState, int]]]:
    """Return (generation, state, version of the domain key) of a person's keys by class, tombstones included."""
    found: dict[RetentionClass, list[tuple[int, KeyState, int]]] = {}
    with store.translated():
        rows = PersonKey.objects.using(store.DATABASE).filter(person_ref=person_ref)
        for kind, generation, state, version in rows.order_by("retention_class", "generation").values_list(
            "retention_class", "generation", "state", "domain_version"
        ):
            found.setdefault(RetentionClass(kind), []).append((generation, KeyState(state), version))
    return found


def lines_after(seq: int) -> list[ShredLine]:
    """Return the lines of the key database behind `seq`, in order."""
    with store.translated():
        return [_line(row) for row in Shred.objects.using(store.DATABASE).filter(seq__gt=seq).order_by("seq")]


def last_line() -> ShredLine | None:
    """Return the newest line of the key database."""
    with store.translated():
        row = Shred.objects.using(store.DATABASE).order_by("-seq").first()
    return None if row is None else _line(row)


def line_of(person_ref: UUID, retention_class: RetentionClass) -> ShredLine | None:
    """Return the line that destroyed a person's key of one class, if it was."""
    with store.translated():
        row = (
            Shred.objects.using(store.DATABASE)
            .filter(person_ref=person_ref, retention_class=retention_class.value)
            .first()
        )
    return None if row is None else _line(row)


def shred(
    person_ref: UUID, *, retention_class: RetentionClass, write: Callable[[ShredLine | None], ShredLine]
) -> tuple[ShredLine, int]:
    """Destroy every key of one person in one class; the ledger's line is written first, outside as well.

    Args:
        person_ref: whose.
        retention_class: which class; its keys must be suspended.
        write: makes the line that follows the given last one and carries it out of the database; called when nothing
            but the database itself can refuse any more. A line outside whose transaction failed is carried out at the
            next unlock: what two persons decided is completed, never lost.

    Returns:
        The line, and how many key generations were destroyed.

    Raises:
        KeyMissingError: the person has no key of this class.
        KeyTransitionError: a key of it is neither suspended nor destroyed.
        ShredOrderError: the line does not follow the last one.
    """
    with store.translated(), transaction.atomic(using=store.DATABASE):
        with connections[store.DATABASE].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        states = list(
            PersonKey.objects.using(store.DATABASE)
            .select_for_update()
            .filter(person_ref=person_ref, retention_class=retention_class.value)
            .values_list("state", flat=True)
        )
        if not states:
            raise KeyMissingError("the person has no key of this class")
        if set(states) - {KeyState.SUSPENDED.value, KeyState.DESTROYED.value}:
            raise KeyTransitionError("suspend the person's keys of this class first; nothing was destroyed")
        last = last_line()
        line = write(last)
        if line.seq != (last.seq if last else 0) + 1:
            raise ShredOrderError("the shred ledger went on meanwhile; do it again")
        _insert(line)
        destroyed = _destroy(person_ref, retention_class)
        store.next_epoch()
    return line, destroyed


def take_up(lines: list[ShredLine]) -> int:
    """Insert lines that this database lacks and carry all lines out again; return how many key rows that destroyed.

    After a restore it is called before anything opens. Without a difference it changes nothing.
    """
    with store.translated(), transaction.atomic(using=store.DATABASE):
        with connections[store.DATABASE].cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        last = last_line()
        held = last.seq if last else 0
        for line in lines:
            if line.seq > held:
                _insert(line)
        with connections[store.DATABASE].cursor() as cursor:
            cursor.execute(_DESTROY_AGAIN, [KeyState.DESTROYED.value, KeyState.DESTROYED.value])
            destroyed = int(cursor.rowcount)
        if destroyed:
            store.next_epoch()
    return destroyed


def alive_in_spite() -> int:
    """Return how many keys exist whose destruction the ledger orders; anything but 0 is a restored backup."""
    with store.translated(), connections[store.DATABASE].cursor() as cursor:
        cursor.execute(_COUNT_ALIVE, [KeyState.DESTROYED.value])
        return int(cursor.fetchone()[0])


def _destroy(person_ref: UUID, retention_class: RetentionClass) -> int:
    destroyed = KeyState.DESTROYED.value
    with connections[store.DATABASE].cursor() as cursor:
        cursor.execute(_DESTROY, [destroyed, person_ref, retention_class.value, destroyed])
        return int(cursor.rowcount)


def _insert(line: ShredLine) -> None:
    Shred.objects.using(store.DATABASE).create(
        seq=line.seq,
        person_ref=line.person_ref,
        retention_class=line.retention_class.value,
        body=line.body,
        signature=line.signature,
        key_id=line.key_id,
        public_key=line.public_key,
    )


def _line(row: Shred) -> ShredLine:
    return ShredLine(
        seq=row.seq,
        person_ref=row.person_ref,
        retention_class=RetentionClass(row.retention_class),
        body=bytes(row.body),
        signature=bytes(row.signature),
        key_id=row.key_id,
        public_key=bytes(row.public_key),
    )
