"""Keys of tables: for values whose person is not known, one per scope and retention class.

Clause: JRT0171-6.2.4-a
"""

import secrets
from functools import partial
from threading import RLock
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.keys import store
from kuimen.gate.keys.cache import ExpiringCache
from kuimen.gate.keys.errors import (
    KeyAlteredError,
    KeyDestroyedError,
    KeyMissingError,
    RotationConflictError,
)
from kuimen.gate.keys.material import DataKey, table_binding, table_scope
from kuimen.gate.keys.models import TableKey
from kuimen.gate.keys.person_keys import ATTEMPTS
from kuimen.gate.keys.rules import KEY_LENGTHS, KeyState, KeySuite, RetentionClass
from kuimen.gate.keys.tree import CACHE_LIFETIME, OPENS, SMALL_CACHE_CAPACITY, RootTree, create_audited
from kuimen.gate.keys.uses import record_at_once


class TableKeys:
    """The table keys of one process; :class:`~kuimen.gate.keys.keyring.Keyring` hands them out."""

    def __init__(self, tree: RootTree, institution_id: UUID) -> None:
        """Open and make keys under the domain keys of `tree`, of the same suite as these."""
        self._tree = tree
        self.institution_id = institution_id
        self._lock = RLock()
        self._tables: ExpiringCache[tuple[RetentionClass, str, int | None], DataKey] = ExpiringCache(
            capacity=SMALL_CACHE_CAPACITY, lifetime=CACHE_LIFETIME
        )

    def clear(self) -> None:
        """Drop every key from the cache of this process."""
        self._tables.clear()

    def after_fork(self) -> None:
        """Replace the locks in a forked child."""
        self._lock = RLock()
        self._tables.after_fork()

    def renewed(self, scope: str, kind: RetentionClass, *, up_to_id: int, suite: KeySuite) -> DataKey:
        """Return an active key of `suite` made after `up_to_id`, retiring an older one in the same transaction."""
        for _ in range(ATTEMPTS):
            row = _table_row(scope, kind, None)
            if row is not None and row.pk > up_to_id and row.suite == suite.value:
                break
            self._renew(scope, kind, up_to_id, suite)
        self._tables.forget(lambda held: held[:2] == (kind, scope))
        return self.get(scope, kind)

    def _renew(self, scope: str, kind: RetentionClass, up_to_id: int, suite: KeySuite) -> None:
        held = TableKey.objects.using(store.DATABASE).filter(scope=scope, retention_class=kind.value)
        generation = 1 + max(held.values_list("generation", flat=True), default=0)
        made = self._new_table_key(scope, kind, generation, suite)
        with store.translated(), transaction.atomic(using=store.DATABASE):
            if not store.hold_active_domain(kind, made.domain_version):
                self._tree.forget_domains(kind)
                return
            old = held.select_for_update().filter(state=KeyState.ACTIVE.value).first()
            if old is not None and old.pk > up_to_id and old.suite == suite.value:
                return  # another process was quicker
            if old is not None:
                old.state = KeyState.RETIRED.value
                old.save(using=store.DATABASE, update_fields=["state"])
            made.save(using=store.DATABASE, force_insert=True)
            record_at_once("keys.table_key_created", object_type="key", object_ref=f"{kind.value}/{scope}/{generation}")

    def get(self, scope: str, kind: RetentionClass, generation: int | None = None) -> DataKey:
        """Return the key of a table scope; the active one is made when missing, a named generation never is."""
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
        for _ in range(ATTEMPTS):
            row = self._new_table_key(scope, kind, generation, self._tree.suite_of(kind))
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
