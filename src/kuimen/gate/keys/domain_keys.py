"""Versions of a domain key: how many keys stand under each, and the end of an old one.

Clause: JRT0171-6.2.4-a
"""

from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Count

from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import halves, store
from kuimen.gate.keys.errors import DomainKeyInUseError, KeyMissingError, KeyTransitionError
from kuimen.gate.keys.models import DomainKey, PersonKey, TableKey
from kuimen.gate.keys.rules import KeyEvent, KeyState, KeySuite, RetentionClass, next_state
from kuimen.gate.keys.uses import record_at_once


def keys_by_version(table: type[PersonKey] | type[TableKey], kind: RetentionClass) -> dict[int, int]:
    """Count the keys of one class that are not destroyed, by the version of the domain key they stand under."""
    rows = table.objects.using(store.DATABASE).filter(retention_class=kind.value, wrapped__isnull=False)
    with store.translated():
        counted = rows.values_list("domain_version").annotate(count=Count("id")).order_by("domain_version")
        return {int(version): int(count) for version, count in counted}


def keys_under_other_versions(kind: RetentionClass, version: int) -> int:
    """Count the keys of one class that stand under another version than this."""
    tables = (PersonKey, TableKey)
    return sum(count for table in tables for at, count in keys_by_version(table, kind).items() if at != version)


def active_suite(kind: RetentionClass) -> KeySuite | None:
    """Return the suite of a class's active domain key, None where the class has none yet."""
    rows = DomainKey.objects.using(store.DATABASE).filter(retention_class=kind.value, state=KeyState.ACTIVE.value)
    with store.translated():
        suite = rows.values_list("suite", flat=True).first()
    return None if suite is None else KeySuite(suite)


def refuse_domain_in_use(kind: RetentionClass, version: int) -> None:
    """Raise unless this version of a domain key could be destroyed now; errors as in destroying."""
    with store.translated():
        row = DomainKey.objects.using(store.DATABASE).filter(retention_class=kind.value, version=version).first()
    _refuse(row, kind, version)


def destroy_domain_version(kind: RetentionClass, version: int, *, actor: audit.Actor) -> None:
    """Destroy an old version of a domain key, for good; whoever calls has heard two persons.

    A version that was destroyed before stays so, and the call ends well: what was cut can be repeated.

    Raises:
        KeyMissingError: there is no such version.
        KeyTransitionError: it is the active one; rotate first.
        DomainKeyInUseError: keys still stand under it; rewrap first. Nothing changed.
    """
    with store.translated(), transaction.atomic(using=store.DATABASE):
        row = (
            DomainKey.objects.using(store.DATABASE)
            .select_for_update()
            .filter(retention_class=kind.value, version=version)
            .first()
        )
        row = _refuse(row, kind, version)
        if row.state != KeyState.DESTROYED.value:
            _destroy(row)
            # First the half, which no backup of a database brings back; a commit that fails leaves an unused version.
            halves.beside(Path(settings.KUIMEN_ROOT_KEY)).destroy(kind, version)
        record_at_once(
            "keys.domain_key_destroyed", object_type="key", object_ref=f"{kind.value}/{version}", actor=actor
        )


def _refuse(row: DomainKey | None, kind: RetentionClass, version: int) -> DomainKey:
    if row is None:
        raise KeyMissingError(f"the class {kind} has no domain key of version {version}")
    if row.state == KeyState.ACTIVE.value:
        raise KeyTransitionError("this version of the domain key is the active one; rotate the domain key first")
    if count := sum(keys_by_version(table, kind).get(version, 0) for table in (PersonKey, TableKey)):
        raise DomainKeyInUseError(f"{count} keys still stand under this version; run kuimen keys rewrap first")
    return row


def _destroy(row: DomainKey) -> None:
    state: KeyState | None = KeyState(row.state)
    for event in (KeyEvent.SUSPEND, KeyEvent.DESTROY):
        state = next_state(state, event) or state if state else None
    if state is not KeyState.DESTROYED:
        raise KeyTransitionError(f"a domain key in state {row.state} cannot be destroyed")
    row.state, row.wrapped, row.state_since = state.value, None, clock.now()
    row.save(using=store.DATABASE, update_fields=["state", "wrapped", "state_since"])
    store.next_epoch()
