"""Destroying keys: in order, ledger first, and at once for every other keyring, however warm its cache."""

from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections, transaction

from fixtures.installed import CUSTODIANS, System
from kuimen.entrypoints.installation.servers import KEYS
from kuimen.foundation.errors import ConflictError
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys import shredding
from kuimen.gate.keys.errors import (
    KeyDestroyedError,
    KeyMissingError,
    KeysLockedError,
    KeyStorePutBackError,
    KeyTransitionError,
    ShredOrderError,
)
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.models import PersonKey
from kuimen.gate.keys.provider import SealedFileProvider
from kuimen.gate.keys.root_file import open_root_file
from kuimen.gate.keys.rules import KeyEvent, RetentionClass
from kuimen.gate.keys.shredding import ShredLine

IDENTITY = RetentionClass.IDENTITY_TRANSACTION


def line(person: UUID, seq: int = 1) -> ShredLine:
    return ShredLine(
        seq=seq, person_ref=person, retention_class=IDENTITY, body=b"{}", signature=b"s", key_id="k", public_key=b"p"
    )


def suspend(person: UUID) -> None:
    keys.change_person_key(person, retention_class=IDENTITY, event=KeyEvent.SUSPEND, actor=SYSTEM)


def second_keyring(system: System) -> Keyring:
    """Return a keyring of its own, as another worker process holds one."""
    return Keyring(SealedFileProvider(open_root_file(system.home.root_key, passphrases=CUSTODIANS)))


def test_a_keyring_with_a_warm_cache_stops_at_its_next_batch(system: System) -> None:
    person, survivor = uuid4(), uuid4()
    keys.keyring().person_keys([person, survivor], IDENTITY)
    other = second_keyring(system)
    other.person_keys_at([(person, 1), (survivor, 1)], IDENTITY)

    suspend(person)
    with pytest.raises(KeyDestroyedError):
        other.person_keys_at([(person, 1)], IDENTITY)
    with transaction.atomic():
        shredding.shred(person, retention_class=IDENTITY, write=lambda _last: line(person))
    with pytest.raises(KeyDestroyedError):
        other.person_keys([person], IDENTITY)

    assert other.person_keys_at([(survivor, 1)], IDENTITY).keys() == {(survivor, 1)}
    assert PersonKey.objects.get(person_ref=person).wrapped is None
    assert shredding.alive_in_spite() == 0


def test_only_suspended_keys_are_destroyed_and_lines_follow_each_other(system: System) -> None:
    person, stranger = uuid4(), uuid4()
    keys.keyring().person_keys([person], IDENTITY)

    with pytest.raises(KeyMissingError):
        shredding.shred(stranger, retention_class=IDENTITY, write=lambda _last: line(stranger))
    with pytest.raises(KeyTransitionError):
        shredding.shred(person, retention_class=IDENTITY, write=lambda _last: line(person))
    suspend(person)
    with pytest.raises(ShredOrderError):
        shredding.shred(person, retention_class=IDENTITY, write=lambda _last: line(person, seq=7))

    assert shredding.last_line() is None
    assert PersonKey.objects.get(person_ref=person).wrapped is not None


def test_the_ledger_is_insert_only_for_the_role_that_writes_it(system: System) -> None:
    person = uuid4()
    keys.keyring().person_keys([person], IDENTITY)
    suspend(person)
    shredding.shred(person, retention_class=IDENTITY, write=lambda _last: line(person))

    for statement in ("DELETE FROM keys_shred", "UPDATE keys_shred SET seq = 9"):
        with system.connect(KEYS, keys=True) as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement)


def test_a_key_database_put_back_under_a_running_process_opens_nothing(system: System) -> None:
    person = uuid4()
    keys.keyring().person_keys([person], IDENTITY)
    suspend(person)
    with pytest.raises(KeyDestroyedError):
        keys.keyring().person_keys_at([(person, 1)], IDENTITY)

    with connections["keys"].cursor() as cursor:  # what a restore of the morning's backup leaves
        cursor.execute("UPDATE keys_personkey SET state = 'active'")
        cursor.execute("UPDATE keys_epoch SET value = 1")

    for _ in range(2):
        with pytest.raises(KeyStorePutBackError):
            keys.keyring().person_keys_at([(person, 1)], IDENTITY)


def test_a_guard_that_refuses_keeps_the_keys_locked(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_ring: Keyring) -> None:
        raise ConflictError("not yet")

    monkeypatch.setattr(keys, "_guards", [refuse])
    keys.lock()
    with pytest.raises(ConflictError):
        keys.unlock(system.home.root_key, CUSTODIANS)
    with pytest.raises(KeysLockedError):
        keys.keyring()
