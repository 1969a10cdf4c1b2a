"""The keyring: root → domain key per retention class → one key per (person, class), or per table.

Every parent opens its children only; every child is bound to its row. Person keys are counted in the audit log, one
entry per batch. Caches are bounded, expire, and live for one epoch of the key database: a person's key that one process
suspended or destroyed stops working in every other one at its next batch.

Clause: JRT0171-6.2.4-a, JRT0171-6.1.3-b
"""

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from threading import RLock
from typing import Final
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.keys import store
from kuimen.gate.keys.cache import ExpiringCache
from kuimen.gate.keys.errors import (
    KeyAlteredError,
    KeyDestroyedError,
    KeyMissingError,
    KeyStorePutBackError,
    RotationConflictError,
)
from kuimen.gate.keys.leases import LeasedKey, leased_person, leased_table
from kuimen.gate.keys.material import (
    DataKey,
    IndexKeyMaterial,
    person_binding,
    person_scope,
    table_binding,
    table_scope,
)
from kuimen.gate.keys.models import TableKey
from kuimen.gate.keys.provider import RootProvider
from kuimen.gate.keys.rules import KEY_LENGTHS, LEASE_BLOCKS, KeyState, KeySuite, LeasedKind, RetentionClass
from kuimen.gate.keys.signer import Sm2AuditSigner
from kuimen.gate.keys.tree import (
    CACHE_LIFETIME,
    OPENS,
    SMALL_CACHE_CAPACITY,
    RootTree,
    create_audited,
    public_key,
)
from kuimen.gate.keys.uses import record_at_once

PERSON_CACHE_CAPACITY: Final = 50_000
_ATTEMPTS: Final = 3


class Keyring:
    """Hands out data keys. Safe for threads; one object per process.

    Creating a key is committed at once in the key database, and so is its audit entry in the main one: neither hangs
    on the transaction of the caller.
    """

    def __init__(self, provider: RootProvider, *, suite: KeySuite = KeySuite.SM4_GCM) -> None:
        """Take over `provider`; new keys are made for `suite`, old ones keep theirs."""
        self._provider = provider
        self._suite = suite
        self._tree = RootTree(provider, suite=suite)
        self._lock = RLock()
        self._epoch: int | None = None
        self._persons: ExpiringCache[tuple[RetentionClass, UUID, int | None], DataKey] = ExpiringCache(
            capacity=PERSON_CACHE_CAPACITY, lifetime=CACHE_LIFETIME
        )
        self._tables: ExpiringCache[tuple[RetentionClass, str, int | None], DataKey] = ExpiringCache(
            capacity=SMALL_CACHE_CAPACITY, lifetime=CACHE_LIFETIME
        )

    @property
    def institution_id(self) -> UUID:
        """Return the institution every value is bound to."""
        return self._provider.institution_id

    @property
    def tree(self) -> RootTree:
        """Return the keys above the data keys, for rotation."""
        return self._tree

    @property
    def root_fingerprint(self) -> str:
        """Return the public name of the root."""
        return self._provider.fingerprint

    @property
    def custodians(self) -> tuple[str, ...]:
        """Return the staff numbers of the root's custodians."""
        return self._provider.custodians

    def person_keys(self, refs: Collection[UUID], retention_class: RetentionClass | str) -> dict[UUID, DataKey]:
        """Return the sealing key of each person, making the missing ones in one batch.

        Cost: one small round trip where all are cached, two for any number of persons, five when some are missing;
        10,000 new keys take well under two seconds.

        Raises:
            KeyDestroyedError: a person's key of this class was suspended or destroyed; no new one is made.
            KeyAlteredError: a wrapped key was altered or moved.
            KeyStoreError: the key database is down.
            KeyStorePutBackError: the key database was restored under this process.
        """
        kind = RetentionClass(retention_class)
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

    def person_keys_at(
        self, wanted: Collection[tuple[UUID, int]], retention_class: RetentionClass | str
    ) -> dict[tuple[UUID, int], DataKey]:
        """Return the opening key of each (person, generation) that the key database holds; none is made.

        A pair that it does not hold is left out: the caller knows which sealed value named it.

        Raises:
            KeyDestroyedError: a key was suspended or destroyed.
            KeyStorePutBackError: the key database was restored under this process.
        """
        kind = RetentionClass(retention_class)
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

    def open_person_keys(
        self, wanted: Collection[tuple[UUID, int]], retention_class: RetentionClass | str
    ) -> dict[tuple[UUID, int], DataKey]:
        """Return what :meth:`person_keys_at` returns, leaving out what was suspended or destroyed as well."""
        kind = RetentionClass(retention_class)
        self._enter_epoch()
        pairs = set(wanted)
        rows = [
            row
            for row in store.person_rows({ref for ref, _ in pairs}, kind)
            if (row.person_ref, row.generation) in pairs and row.state in OPENS
        ]
        return self._open_persons(rows, kind)

    def table_key(self, scope: str, retention_class: RetentionClass | str, generation: int | None = None) -> DataKey:
        """Return the key of a table scope; the active one is made when missing, a named generation never is."""
        kind = RetentionClass(retention_class)
        cached = self._tables.get((kind, scope, generation))
        if cached is not None:
            return cached
        with self._lock, store.translated():
            row = _table_row(scope, kind, generation)
            if row is None and generation is None:
                self._create_table_key(scope, kind)
                row = _table_row(scope, kind, None)
        if row is None:
            raise KeyMissingError("a sealed value names a table key that the key database does not hold")
        if KeyState(row.state) not in OPENS:
            raise KeyDestroyedError("the table key was suspended or destroyed")
        aad = table_binding(self.institution_id, kind, row.domain_version, scope, row.generation)
        (material,) = self._tree.unwrap_under_domain(kind, row.domain_version, [bytes(row.wrapped or b"")], [aad])
        if material is None:
            raise KeyAlteredError(f"a table key of the class {kind} does not open; it was altered or moved")
        key = DataKey(generation=row.generation, key=material, scope=table_scope(scope), suite=KeySuite(row.suite))
        self._tables.put((kind, scope, generation), key)
        return key

    def claim(self, uses: Mapping[LeasedKey, int]) -> None:
        """Count uses of sealing keys before they are used; see :mod:`kuimen.gate.keys.leases`.

        Raises:
            KeyUsesExhaustedError: a key has no uses left; nothing may be sealed.
        """
        self._tree.leases.take(uses)

    def sealing_table_key(self, scope: str, retention_class: RetentionClass | str) -> DataKey:
        """Return the active key of a table scope for sealing one value, and count that use."""
        key = self.table_key(scope, retention_class)
        self.claim({leased_table(scope, RetentionClass(retention_class), key.generation): 1})
        return key

    def index_key(self, element: str, generation: int | None = None) -> IndexKeyMaterial:
        """Return the blind-index key of an element: the active one (made when missing) or a named generation."""
        for material in self.index_keys(element):
            if generation is None or material.generation == generation:
                return material
        raise KeyMissingError(f"the index of {element} names a key generation that the key database does not hold")

    def index_keys(self, element: str) -> tuple[IndexKeyMaterial, ...]:
        """Return every generation of an element's index key that may still be searched, the active one first."""
        return self._tree.index_keys(element)

    def signer(self) -> Sm2AuditSigner:
        """Return the SM2 signer of audit checkpoints; its key pair is made at first use."""
        return self._tree.signer()

    def sm2_key(self, usage: str) -> Sm2AuditSigner:
        """Return the active SM2 key of a usage other than the audit log's; its key pair is made at first use."""
        return self._tree.signer(usage)

    def public_key(self, key_id: str) -> bytes:
        """Return a public signing key, 65 bytes 04‖x‖y."""
        return public_key(key_id)

    def forget_person(self, ref: UUID) -> None:
        """Drop a person's keys from the cache of this process."""
        self._persons.forget(lambda held: held[1] == ref)

    def close(self) -> None:
        """Forget everything and wipe the root and the domain keys; data keys are Python bytes and are only let go."""
        with self._lock:
            self._persons.clear()
            self._tables.clear()
            self._tree.close()

    def after_fork(self) -> None:
        """Replace the locks in a forked child; keys stay usable there."""
        self._lock = RLock()
        self._persons.after_fork()
        self._tables.after_fork()
        self._tree.after_fork()

    def _enter_epoch(self) -> None:
        """Drop the cached person keys where any process changed the state of one since."""
        current = store.epoch()
        if current == self._epoch:
            return
        self._persons.clear()
        if self._epoch is not None and current < self._epoch:
            raise KeyStorePutBackError(
                "the key database stands at an earlier epoch than before: it was restored; "
                "stop every process and unlock again, so that the shred ledger is replayed first"
            )
        self._epoch = current

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
            bindings = [
                person_binding(self.institution_id, kind, version, row.person_ref, row.generation) for row in members
            ]
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

    def _create_person_keys(self, refs: list[UUID], kind: RetentionClass, *, suite: KeySuite | None = None) -> None:
        """Make one key per person. A person who has only retired keys gets the next generation."""
        generations = dict.fromkeys(refs, 1)
        for row in store.person_rows(refs, kind):
            generations[row.person_ref] = row.generation + 1
        chosen = suite or self._suite
        length = KEY_LENGTHS[chosen]
        for _ in range(_ATTEMPTS):
            version = self._tree.domain_version(kind)
            material = secrets.token_bytes(length * len(refs))
            drawn = [material[position : position + length] for position in range(0, len(material), length)]
            bindings = [person_binding(self.institution_id, kind, version, ref, generations[ref]) for ref in refs]
            wrapped = self._tree.wrap_under_domain(kind, version, drawn, bindings)
            rows = [(ref, generations[ref], sealed) for ref, sealed in zip(refs, wrapped, strict=True)]
            if self._insert_persons(rows, kind, chosen, version):
                return
            self._tree.forget_domains(kind)  # rotated meanwhile
        raise RotationConflictError(f"the domain key {kind} is rotated again and again; no key was made, try again")

    def _insert_persons(
        self, rows: list[tuple[UUID, int, bytes]], kind: RetentionClass, suite: KeySuite, version: int
    ) -> bool:
        """Insert new keys under the active version of the domain key, which nobody can retire before the commit."""
        with store.translated(), transaction.atomic(using=store.DATABASE):
            if not store.hold_active_domain(kind, version):
                return False
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

    def _create_table_key(self, scope: str, kind: RetentionClass) -> None:
        latest = (
            TableKey.objects.using(store.DATABASE)
            .filter(scope=scope, retention_class=kind.value)
            .order_by("-generation")
            .first()
        )
        if latest is not None and KeyState(latest.state) not in OPENS:
            raise KeyDestroyedError("the table key was suspended or destroyed; nothing more is sealed in this scope")
        generation = 1 if latest is None else latest.generation + 1
        for _ in range(_ATTEMPTS):
            row = self._new_table_key(scope, kind, generation, self._suite)
            if create_audited(
                row,
                action="keys.table_key_created",
                object_ref=f"{kind.value}/{scope}/{generation}",
                allowed=partial(store.hold_active_domain, kind, row.domain_version),
            ):
                return
            self._tree.forget_domains(kind)  # rotated meanwhile
        raise RotationConflictError(f"the domain key {kind} is rotated again and again; no key was made, try again")

    def _new_table_key(self, scope: str, kind: RetentionClass, generation: int, suite: KeySuite) -> TableKey:
        version = self._tree.domain_version(kind)
        aad = table_binding(self.institution_id, kind, version, scope, generation)
        (wrapped,) = self._tree.wrap_under_domain(kind, version, [secrets.token_bytes(KEY_LENGTHS[suite])], [aad])
        return TableKey(
            scope=scope,
            retention_class=kind.value,
            generation=generation,
            suite=suite.value,
            domain_version=version,
            wrapped=wrapped,
            state=KeyState.ACTIVE.value,
            created_at=clock.now(),
        )


def _table_row(scope: str, kind: RetentionClass, generation: int | None) -> TableKey | None:
    rows = TableKey.objects.using(store.DATABASE).filter(scope=scope, retention_class=kind.value)
    if generation is None:
        return rows.filter(state=KeyState.ACTIVE.value).first()
    return rows.filter(generation=generation).first()
