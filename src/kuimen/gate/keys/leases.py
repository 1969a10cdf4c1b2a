"""Uses of a key, counted against 2^32 in leased blocks.

A sealing process takes the right to a block of uses in the key database before the first of them, in a transaction of
its own. What it took is counted as used, whether or not it dies on the way: the count can only be too high, never too
low, and a counter costs one statement a block. Where a key has no more uses to give, nothing is sealed with it, and the
error says which rotation makes the next one.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Final
from uuid import UUID

from django.db import connections

from kuimen.gate.keys import store
from kuimen.gate.keys.arrays import int_array, uuid_array
from kuimen.gate.keys.errors import KeyUsesExhaustedError
from kuimen.gate.keys.rules import MOST_USES, LeasedKind, RetentionClass, lease_size

_MOST_REMEMBERED: Final = 100_000
_REMEDY: Final = {
    LeasedKind.DOMAIN: "rotate it: kuimen keys rotate-domain, then kuimen keys rewrap",
    LeasedKind.PERSON: "seal under a new generation: kuimen keys reencrypt",
    LeasedKind.TABLE: "seal under a new generation: kuimen keys reencrypt",
}
_LEASE_PERSONS: Final = """
    WITH wanted AS (SELECT * FROM unnest(%s::uuid[], %s::int[], %s::bigint[]) AS new (ref, generation, uses)),
    held AS (
        SELECT keys.id, wanted.uses FROM keys_personkey AS keys
        JOIN wanted ON keys.person_ref = wanted.ref AND keys.generation = wanted.generation
        WHERE keys.retention_class = %s ORDER BY keys.id FOR NO KEY UPDATE OF keys
    )
    UPDATE keys_personkey AS keys SET uses_leased = keys.uses_leased + held.uses FROM held
    WHERE keys.id = held.id AND keys.uses_leased + held.uses <= %s
    RETURNING keys.person_ref, keys.generation
"""
_LEASE_TABLE: Final = """
    UPDATE keys_tablekey SET uses_leased = uses_leased + %s
    WHERE retention_class = %s AND scope = %s AND generation = %s AND uses_leased + %s <= %s
"""
_LEASE_DOMAIN: Final = """
    UPDATE keys_domainkey SET uses_leased = uses_leased + %s
    WHERE retention_class = %s AND version = %s AND uses_leased + %s <= %s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedKey:
    """Names one key whose uses are counted; `name` is a person, a scope, or empty for a domain key."""

    kind: LeasedKind
    retention_class: RetentionClass
    name: UUID | str
    generation: int


def leased_person(ref: UUID, retention_class: RetentionClass, generation: int) -> LeasedKey:
    """Name one generation of a person's key."""
    return LeasedKey(kind=LeasedKind.PERSON, retention_class=retention_class, name=ref, generation=generation)


def leased_table(scope: str, retention_class: RetentionClass, generation: int) -> LeasedKey:
    """Name one generation of a table key."""
    return LeasedKey(kind=LeasedKind.TABLE, retention_class=retention_class, name=scope, generation=generation)


class LeaseBook:
    """What this process may still use of each key without asking the key database. Safe for threads."""

    def __init__(self) -> None:
        """Hold no lease yet."""
        self._left: OrderedDict[LeasedKey, int] = OrderedDict()
        self._lock = RLock()

    def take(self, wanted: Mapping[LeasedKey, int]) -> None:
        """Count uses, leasing blocks first where the ones held do not suffice. All are counted or none.

        Raises:
            KeyUsesExhaustedError: a key has no uses left; nothing may be sealed.
            KeyStoreError: the key database is down.
        """
        with self._lock:
            short = {
                key: lease_size(key.kind, uses - self._left.get(key, 0))
                for key, uses in wanted.items()
                if self._left.get(key, 0) < uses
            }
            if short:
                _lease(short)
                self.credit(short)
            for key, uses in wanted.items():
                self._left[key] -= uses

    def credit(self, leased: Mapping[LeasedKey, int]) -> None:
        """Remember blocks that the key database has counted already."""
        with self._lock:
            for key, uses in leased.items():
                self._left[key] = self._left.get(key, 0) + uses
                self._left.move_to_end(key)
            while len(self._left) > max(_MOST_REMEMBERED, len(leased)):
                self._left.popitem(last=False)  # its rest stays counted as used

    def after_fork(self) -> None:
        """Start empty in a forked child: the blocks belong to the parent."""
        self._lock = RLock()
        self._left.clear()


def _lease(blocks: Mapping[LeasedKey, int]) -> None:
    if connections[store.DATABASE].in_atomic_block:
        msg = "a lease is taken outside of a transaction on the key database, or it could be rolled back"
        raise RuntimeError(msg)
    with store.translated():
        persons = [key for key in blocks if key.kind is LeasedKind.PERSON]
        for kind in {key.retention_class for key in persons}:
            _lease_persons([key for key in persons if key.retention_class is kind], blocks)
        with connections[store.DATABASE].cursor() as cursor:
            for key, uses in blocks.items():
                if key.kind is LeasedKind.PERSON:
                    continue
                if key.kind is LeasedKind.TABLE:
                    place = [key.retention_class.value, str(key.name), key.generation]
                    cursor.execute(_LEASE_TABLE, [uses, *place, uses, MOST_USES])
                else:
                    place = [key.retention_class.value, key.generation]
                    cursor.execute(_LEASE_DOMAIN, [uses, *place, uses, MOST_USES])
                if cursor.rowcount != 1:
                    raise _exhausted(key.kind, [key])


def _lease_persons(keys: list[LeasedKey], blocks: Mapping[LeasedKey, int]) -> None:
    with connections[store.DATABASE].cursor() as cursor:
        cursor.execute(
            _LEASE_PERSONS,
            [
                uuid_array(UUID(str(key.name)) for key in keys),
                int_array(key.generation for key in keys),
                int_array(blocks[key] for key in keys),
                keys[0].retention_class.value,
                MOST_USES,
            ],
        )
        leased = set(cursor.fetchall())
    refused = [key for key in keys if (key.name, key.generation) not in leased]
    if refused:
        raise _exhausted(LeasedKind.PERSON, refused)


def _exhausted(kind: LeasedKind, keys: Iterable[LeasedKey]) -> KeyUsesExhaustedError:
    named = list(keys)
    return KeyUsesExhaustedError(
        f"{len(named)} {kind} key(s) of the class {named[0].retention_class} have no uses left of 2^32, or were "
        f"destroyed; they still open. {_REMEDY[kind]}"
    )
