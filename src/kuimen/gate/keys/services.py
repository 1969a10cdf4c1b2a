"""Use cases of the key room: unlock, lock, status, suspend and destroy a person's key.

The keyring belongs to the process. A forked worker inherits an unlocked one; a process started anew is locked until
both custodians' passphrases come in by prompt, file descriptor or credentials file.

Clause: JRT0171-6.2.4-a
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from kuimen.foundation import clock
from kuimen.foundation.errors import KuimenError
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import store
from kuimen.gate.keys.errors import (
    KeyMissingError,
    KeysLockedError,
    KeyTransitionError,
    MissingCustodianError,
    RootFileAlteredError,
    RootFileMissingError,
    RootFilePermissionError,
    RootFileVersionError,
    RootMismatchError,
    WrongPassphraseError,
)
from kuimen.gate.keys.hardening import forbid_core_dumps
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.models import DomainKey, IndexKey, PersonKey, RootInUse, SigningKey, TableKey
from kuimen.gate.keys.provider import RootProvider, provider_of
from kuimen.gate.keys.root_file import RootFileInfo, open_root_file, read_root_info
from kuimen.gate.keys.rules import KeyEvent, KeyState, KeySuite, RetentionClass, next_state

UnlockGuard = Callable[[Keyring], None]

_held: list[Keyring] = []
_guards: list[UnlockGuard] = []
_guard = Lock()

_UNLOCK_REFUSALS = (
    WrongPassphraseError,
    MissingCustodianError,
    RootFileAlteredError,
    RootFileMissingError,
    RootFilePermissionError,
    RootFileVersionError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """What the status page shows; counts and names of keys, nothing that opens anything."""

    unlocked: bool
    root_fingerprint: str | None
    custodians: tuple[str, ...]
    domain_keys: tuple[tuple[str, int, str], ...]
    person_keys: Mapping[str, int]
    table_keys: int
    index_keys: int
    signing_keys: tuple[tuple[str, str], ...]


def register_unlock_guard(guard: UnlockGuard) -> None:
    """Have `guard` run at every unlock, before anything can be opened; what it raises keeps the keys locked."""
    if guard not in _guards:
        _guards.append(guard)


def unlock(root_file: Path, passphrases: Mapping[str, str], *, actor: audit.Actor = audit.SYSTEM) -> Keyring:
    """Open the root file with both custodians' passphrases and make the keyring of this process.

    Use of the root is recorded before the keyring is handed out; a refusal is recorded before it is raised.

    Raises:
        RootFileMissingError, RootFileAlteredError, RootFileVersionError, RootFilePermissionError,
        MissingCustodianError, WrongPassphraseError, TokenUnavailableError, TokenInputError: as named.
        RootMismatchError: the keys are wrapped under another root.
        KuimenError: a guard refused, for example because the shred ledger was altered; nothing can be opened.
    """
    try:
        opened = open_root_file(root_file, passphrases=passphrases)
    except _UNLOCK_REFUSALS as refusal:
        custodian = refusal.custodian if isinstance(refusal, WrongPassphraseError) else ""
        audit.record_refusal(
            "keys.unlock",
            actor=actor,
            object_type="root_key",
            facts={"reason": refusal.code, "custodian": custodian},
        )
        raise
    forbid_core_dumps()
    provider = provider_of(opened)
    try:
        _refuse_other_root(provider, "sealed_file" if opened.info.token is None else "pkcs11")
        _record_unlock(provider, actor)
    except KuimenError:
        provider.close()  # use of the root without a record does not happen
        raise
    keyring_now = Keyring(provider)
    try:
        for guard in _guards:
            guard(keyring_now)
    except KuimenError:
        keyring_now.close()
        raise
    with _guard:
        replaced = _held[:]
        _held[:] = [keyring_now]
    for old in replaced:
        old.close()
    return keyring_now


def _refuse_other_root(provider: RootProvider, kind: str) -> None:
    """Compare the root with the one that the key database names; the first unlock writes its name down.

    Raises:
        RootMismatchError: the keys are wrapped under another root.
    """
    with store.translated():
        known, _ = RootInUse.objects.using(store.DATABASE).get_or_create(
            one=True, defaults={"fingerprint": provider.fingerprint, "provider": kind, "since": clock.now()}
        )
    if known.fingerprint != provider.fingerprint:
        raise RootMismatchError("the keys of this installation belong to another root file; restore that one")


def _record_unlock(provider: RootProvider, actor: audit.Actor) -> None:
    with transaction.atomic():
        audit.record(
            "keys.unlock",
            actor=actor,
            object_type="root_key",
            object_ref=provider.fingerprint,
            facts={"custodians": list(provider.present), "process": os.getpid()},
        )


def keyring() -> Keyring:
    """Return the keyring of this process.

    Raises:
        KeysLockedError: nobody has unlocked it.
    """
    if not _held:
        raise KeysLockedError("the keyring is locked; both custodians must unlock it")
    return _held[0]


def is_unlocked() -> bool:
    """Return whether this process holds the keys."""
    return bool(_held)


def lock(*, actor: audit.Actor = audit.SYSTEM) -> None:
    """Forget the keys of this process first, then record it; locking an already locked keyring does nothing."""
    with _guard:
        held = _held[:]
        _held.clear()
    if not held:
        return
    fingerprint = held[0].root_fingerprint
    for one in held:
        one.close()
    with transaction.atomic():
        audit.record("keys.lock", actor=actor, object_type="root_key", object_ref=fingerprint)


def root_info(root_file: Path) -> RootFileInfo:
    """Return what the root file tells without a passphrase."""
    return read_root_info(root_file)


def status() -> KeyStatus:
    """Return the state of the keys; needs no unlocked root."""
    held = _held[0] if _held else None
    with store.translated():
        domains = DomainKey.objects.using(store.DATABASE).order_by("retention_class", "version")
        persons = (
            PersonKey.objects.using(store.DATABASE)
            .values_list("retention_class")
            .annotate(count=Count("id"))
            .order_by("retention_class")
        )
        return KeyStatus(
            unlocked=held is not None,
            root_fingerprint=held.root_fingerprint if held else None,
            custodians=held.custodians if held else (),
            domain_keys=tuple((row.retention_class, row.version, row.state) for row in domains),
            person_keys=dict(persons),
            table_keys=TableKey.objects.using(store.DATABASE).count(),
            index_keys=IndexKey.objects.using(store.DATABASE).count(),
            signing_keys=tuple(
                SigningKey.objects.using(store.DATABASE).order_by("created_at").values_list("key_id", "state")
            ),
        )


def rotate_domain(retention_class: RetentionClass, *, actor: audit.Actor, suite: KeySuite = KeySuite.SM4_GCM) -> int:
    """Make the next version of a domain key and return it; the old one still opens until it is destroyed.

    Raises:
        KeysLockedError, KeyStoreError: nothing changed.
    """
    return keyring().tree.rotate_domain(retention_class, suite=suite, actor=actor)


def change_person_key(person_ref: UUID, *, retention_class: RetentionClass, event: KeyEvent, actor: audit.Actor) -> int:
    """Suspend, restore or destroy every key generation of one person in one class; return how many changed.

    Destroying empties the wrapped key and leaves a tombstone, so that no new key is ever made for this person and
    class. Who may ask for it, and the two persons it needs, is decided by the caller.

    Raises:
        KeyMissingError: the person has no key of this class.
        KeyTransitionError: the state table does not allow it for one of the generations; nothing changed.
    """
    with transaction.atomic(), store.translated(), transaction.atomic(using=store.DATABASE):
        rows = list(
            PersonKey.objects.using(store.DATABASE)
            .select_for_update()
            .filter(person_ref=person_ref, retention_class=retention_class.value)
            .order_by("generation")
        )
        if not rows:
            raise KeyMissingError("the person has no key of this class")
        for row in rows:
            state = next_state(KeyState(row.state), event)
            if state is None:
                raise KeyTransitionError(f"a key in state {row.state} does not take the event {event}")
            row.state = state.value
            if state is KeyState.DESTROYED:
                row.wrapped = None
            row.save(using=store.DATABASE, update_fields=["state", "wrapped"])
        store.next_epoch()
        audit.record(
            f"keys.person_key_{event.value}",
            actor=actor,
            object_type="person",
            object_ref=str(person_ref),
            facts={"retention_class": retention_class.value, "generations": len(rows)},
        )
    if _held:
        _held[0].forget_person(person_ref)
    return len(rows)


def _after_fork() -> None:
    global _guard  # noqa: PLW0603 - another thread may have held it when the process was copied
    _guard = Lock()
    for one in _held:
        one.after_fork()


os.register_at_fork(after_in_child=_after_fork)
