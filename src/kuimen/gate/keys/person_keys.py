"""Keys of persons: opened in columns, made in batches, renewed by generation, cached for one epoch.

Clause: JRT0171-6.2.4-a, JRT0171-6.1.3-b
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from threading import Lock
from typing import Final
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.keys import store
from kuimen.gate.keys.cache import ExpiringCache
from kuimen.gate.keys.errors import (
    KeyAlteredError,
    KeyDestroyedError,
    KeyStorePutBackError,
    RotationConflictError,
)
from kuimen.gate.keys.leases import leased_person
from kuimen.gate.keys.material import DataKey, person_bindings, person_scope
from kuimen.gate.keys.rules import KEY_LENGTHS, LEASE_BLOCKS, KeyState, KeySuite, LeasedKind, RetentionClass
from kuimen.gate.keys.tree import CACHE_LIFETIME, OPENS, RootTree
from kuimen.gate.keys.uses import record_at_once

PERSON_CACHE_CAPACITY: Final = 50_000
ATTEMPTS: Final = 3


class PersonKeys:
    """The keys of persons of one process; :class:`~kuimen.gate.keys.keyring.Keyring` hands them out."""

    def __init__(self, tree: RootTree, institution_id: UUID) -> None:
        """Open and make keys under the domain keys of `tree`, of the same suite as these."""
        self._tree = tree
        self.institution_id = institution_id
        self._epoch: int | None = None
        self._entering = Lock()
        self._persons: ExpiringCache[tuple[RetentionClass, UUID, int | None], DataKey] = ExpiringCache(
            capacity=PERSON_CACHE_CAPACITY, lifetime=CACHE_LIFETIME
        )

    def forget(self, ref: UUID) -> None:
        """Drop a person's keys from the cache of this process."""
        self._persons.forget(lambda held: held[1] == ref)

    def clear(self) -> None:
        """Drop every key from the cache of this process."""
        self._persons.clear()

    def after_fork(self) -> None:
        """Replace the locks in a forked child."""
        self._entering = Lock()
        self._persons.after_fork()

    def active(self, refs: Collection[UUID], kind: RetentionClass) -> dict[UUID, DataKey]:
        """Return the sealing key of each person, making the missing ones in one batch.

        Cost: one small round trip where all are cached, two for any number of persons, five when some are missing;
        10,000 new keys take well under two seconds.

        Raises:
            KeyDestroyedError: a person's key of this class was suspended or destroyed; no new one is made.
            KeyAlteredError: a wrapped key was altered or moved.
            KeyStoreError: the key database is down.
            KeyStorePutBackError: the key database was restored under this process.
        """
        self._enter_epoch()
        held = self._persons.get_many((kind, ref, None) for ref in refs)
        found = {ref: key for (_, ref, _), key in held.items()}
        missing = [ref for ref in dict.fromkeys(refs) if ref not in found]
        if not missing:
            return found
        found |= self._active_person_keys(missing, kind)
        absent = [ref for ref in missing if ref not in found]
        if absent:
            self._create_person_keys(absent, kind)
            found |= self._active_person_keys(absent, kind)
        return found

    def at(self, wanted: Collection[tuple[UUID, int]], kind: RetentionClass) -> dict[tuple[UUID, int], DataKey]:
        """Return the opening key of each (person, generation) that the key database holds; none is made.

        A pair that it does not hold is left out: the caller knows which sealed value named it.

        Raises:
            KeyDestroyedError: a key was suspended or destroyed.
            KeyStorePutBackError: the key database was restored under this process.
        """
        self._enter_epoch()
        held = self._persons.get_many((kind, ref, generation) for ref, generation in wanted)
        found = {(ref, generation): key for (_, ref, generation), key in held.items() if generation is not None}
        missing = {pair for pair in wanted if pair not in found}
        if not missing:
            return found
        rows = [
            row
            for row in store.person_rows({ref for ref, _ in missing}, kind)
            if (row.person_ref, row.generation) in missing
        ]
        if any(row.state not in OPENS for row in rows):
            raise KeyDestroyedError(f"the {kind} key of a person was suspended or destroyed")
        return found | self._open_persons(rows, kind)

    def openable(self, wanted: Collection[tuple[UUID, int]], kind: RetentionClass) -> dict[tuple[UUID, int], DataKey]:
        """Return what :meth:`at` returns, leaving out what was suspended or destroyed as well."""
        self._enter_epoch()
        pairs = set(wanted)
        rows = [
            row
            for row in store.person_rows({ref for ref, _ in pairs}, kind)
            if (row.person_ref, row.generation) in pairs and row.state in OPENS
        ]
        return self._open_persons(rows, kind)

    def renewed(
        self, refs: Collection[UUID], kind: RetentionClass, *, up_to_id: int, suite: KeySuite
    ) -> dict[UUID, DataKey]:
        """Return an active key of `suite` made after `up_to_id` for each person, making the next generation if need be.

        The old generation is retired in the same transaction and still opens. Persons whose key was suspended or
        destroyed are left out.
        """
        self._enter_epoch()
        fresh: list[store.WrappedPersonKey] = []
        barred: set[UUID] = set()
        for row in store.person_rows(refs, kind):
            if row.state in (KeyState.SUSPENDED, KeyState.DESTROYED):
                barred.add(row.person_ref)
            elif row.state is KeyState.ACTIVE and row.row_id > up_to_id and row.suite is suite:
                fresh.append(row)
        stale = [ref for ref in dict.fromkeys(refs) if ref not in barred | {row.person_ref for row in fresh}]
        found = {ref: key for (ref, _), key in self._open_persons(fresh, kind).items()}
        if stale:
            self._create_person_keys(stale, kind, suite=suite, retire_up_to=up_to_id)
            gone = set(stale)
            self._persons.forget(lambda held: held[1] in gone)
            found |= self._active_person_keys(stale, kind)
        return found

    def _enter_epoch(self) -> None:
        """Drop the cached person keys where any process changed the state of one since."""
        if store.epoch() == self._epoch:
            return
        with self._entering:
            current = store.epoch()  # read again: another thread may have entered a later epoch meanwhile
            known, self._epoch = self._epoch, current
            if current == known:
                return
            self._persons.clear()
            if known is not None and current < known:
                self._epoch = known
                raise KeyStorePutBackError(
                    "the key database stands at an earlier epoch than before: it was restored; "
                    "stop every process and unlock again, so that the shred ledger is replayed first"
                )

    def _active_person_keys(self, refs: Iterable[UUID], kind: RetentionClass) -> dict[UUID, DataKey]:
        active: list[store.WrappedPersonKey] = []
        barred: set[UUID] = set()
        for row in store.person_rows(list(refs), kind):
            if row.state is KeyState.ACTIVE:
                active.append(row)
            elif row.state in (KeyState.SUSPENDED, KeyState.DESTROYED):
                barred.add(row.person_ref)
        if count := len(barred - {row.person_ref for row in active}):
            raise KeyDestroyedError(
                f"the {kind} key of {count} person(s) was suspended or destroyed; nothing is sealed for them"
            )
        found = {ref: key for (ref, _), key in self._open_persons(active, kind).items()}
        for ref, key in found.items():
            self._persons.put((kind, ref, None), key)
        return found

    def _open_persons(
        self, rows: Sequence[store.WrappedPersonKey], kind: RetentionClass, *, again: bool = True
    ) -> dict[tuple[UUID, int], DataKey]:
        """Unwrap rows, a column for each version of the domain key; rows rewrapped meanwhile are read again."""
        found: dict[tuple[UUID, int], DataKey] = {}
        by_version: dict[int, list[store.WrappedPersonKey]] = defaultdict(list)
        for row in rows:
            by_version[row.domain_version].append(row)
        for version, members in by_version.items():
            bindings = person_bindings(
                self.institution_id, kind, version, ((str(row.person_ref), row.generation) for row in members)
            )
            try:
                keys = self._tree.unwrap_under_domain(kind, version, [row.wrapped or b"" for row in members], bindings)
            except KeyDestroyedError:
                renewed = self._read_again(members, kind)
                if not again or any(row.domain_version == version for row in renewed):
                    raise
                found |= self._open_persons(renewed, kind, again=False)
                continue
            for row, material in zip(members, keys, strict=True):
                if material is None:
                    raise KeyAlteredError(
                        f"a key of the class {kind} does not open under its domain key; it was altered or moved"
                    )
                key = DataKey(
                    generation=row.generation, key=material, scope=person_scope(row.person_ref), suite=row.suite
                )
                self._persons.put((kind, row.person_ref, row.generation), key)
                found[(row.person_ref, row.generation)] = key
        return found

    @staticmethod
    def _read_again(rows: Sequence[store.WrappedPersonKey], kind: RetentionClass) -> list[store.WrappedPersonKey]:
        wanted = {(row.person_ref, row.generation) for row in rows}
        return [
            row
            for row in store.person_rows({ref for ref, _ in wanted}, kind)
            if (row.person_ref, row.generation) in wanted and row.wrapped is not None
        ]

    def _create_person_keys(
        self,
        refs: list[UUID],
        kind: RetentionClass,
        *,
        suite: KeySuite | None = None,
        retire_up_to: int | None = None,
    ) -> None:
        """Make one key per person. Whoever has only retired keys, or is to retire one, gets the next generation."""
        generations = dict.fromkeys(refs, 1)
        for row in store.person_rows(refs, kind):
            generations[row.person_ref] = row.generation + 1
        for _ in range(ATTEMPTS):
            version = self._tree.domain_version(kind)
            chosen = suite or self._tree.suite_of(kind)
            length = KEY_LENGTHS[chosen]
            material = secrets.token_bytes(length * len(refs))
            drawn = [material[position : position + length] for position in range(0, len(material), length)]
            bindings = person_bindings(
                self.institution_id, kind, version, ((str(ref), generations[ref]) for ref in refs)
            )
            wrapped = self._tree.wrap_under_domain(kind, version, drawn, bindings)
            rows = [(ref, generations[ref], sealed) for ref, sealed in zip(refs, wrapped, strict=True)]
            if self._insert_persons(rows, kind, chosen, version, retire_up_to=retire_up_to):
                return
            self._tree.forget_domains(kind)  # rotated meanwhile
        raise RotationConflictError(f"the domain key {kind} is rotated again and again; no key was made, try again")

    def _insert_persons(
        self,
        rows: list[tuple[UUID, int, bytes]],
        kind: RetentionClass,
        suite: KeySuite,
        version: int,
        *,
        retire_up_to: int | None,
    ) -> bool:
        """Insert new keys under the active version of the domain key, which nobody can retire before the commit."""
        with store.translated(), transaction.atomic(using=store.DATABASE):
            if not store.hold_active_domain(kind, version):
                return False
            if retire_up_to is not None:
                store.retire_person_rows([ref for ref, _, _ in rows], kind, up_to_id=retire_up_to, suite=suite)
                store.next_epoch()
            created = store.insert_person_rows(
                rows, retention_class=kind, suite=suite, domain_version=version, created_at=clock.now()
            )
            record_at_once(
                "keys.person_keys_created",
                object_type="retention_class",
                object_ref=kind.value,
                facts={"count": len(created), "domain_version": version, "suite": suite.value},
            )
        block = LEASE_BLOCKS[LeasedKind.PERSON]
        self._tree.leases.credit({leased_person(ref, kind, generation): block for ref, generation in created})
        return True
