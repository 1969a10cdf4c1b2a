"""The keyring on real databases: created once, bound to its row, counted, refused when destroyed."""

import pickle
import threading
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from fixtures.installed import CUSTODIANS, System
from kuimen.gate.audit.errors import AuditUnavailableError
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.errors import (
    KeyAlteredError,
    KeyDestroyedError,
    KeyMissingError,
    KeysLockedError,
    KeyStoreError,
    KeyTransitionError,
    RootFileMissingError,
    WrongPassphraseError,
)
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.models import DomainKey, PersonKey
from kuimen.gate.keys.rules import KeyEvent, RetentionClass
from kuimen.kernels.ciphers import sm2

IDENTITY = RetentionClass.IDENTITY_TRANSACTION
ADVERSE = RetentionClass.ADVERSE_ITEM


def entries(action: str) -> list[Entry]:
    return list(Entry.objects.filter(action=action).order_by("id"))


def reopened(system: System) -> Keyring:
    """Lock and unlock again: nothing of the caches survives."""
    keys.lock()
    return keys.unlock(system.home.root_key, CUSTODIANS)


def test_a_locked_keyring_gives_no_key(system: System) -> None:
    keys.lock()
    with pytest.raises(KeysLockedError):
        keys.keyring()
    assert keys.status().unlocked is False


def test_the_same_person_and_class_has_one_key_after_unlocking_again(system: System) -> None:
    refs = [uuid4() for _ in range(5)]
    before = keys.keyring().person_keys(refs, IDENTITY)
    after = reopened(system).person_keys(refs, IDENTITY)
    assert {ref: key.key for ref, key in before.items()} == {ref: key.key for ref, key in after.items()}
    assert len({key.key for key in before.values()}) == 5
    assert all(len(key.key) == 16 and key.generation == 1 for key in before.values())


def test_every_class_of_one_person_has_a_key_of_its_own(system: System) -> None:
    ref = uuid4()
    ring = keys.keyring()
    assert len({ring.person_keys([ref], kind)[ref].key for kind in RetentionClass}) == len(RetentionClass)


@pytest.mark.clause("JRT0171-6.2.4-a")
def test_use_of_the_root_and_of_domain_keys_is_in_the_audit_log_and_person_keys_are_counted(system: System) -> None:
    keys.keyring().person_keys([uuid4() for _ in range(7)], IDENTITY)
    assert len(entries("keys.unlock")) == 1
    assert [entry.object_ref for entry in entries("keys.domain_key_created")] == ["identity_transaction/1"]
    (batch,) = entries("keys.person_keys_created")
    assert b'"count":7' in bytes(batch.body)


def test_ten_thousand_person_keys_are_one_entry(system: System) -> None:
    refs = [uuid4() for _ in range(10_000)]
    assert len(keys.keyring().person_keys(refs, IDENTITY)) == 10_000
    assert len(entries("keys.person_keys_created")) == 1


def test_a_wrong_passphrase_is_recorded_with_the_custodian_before_it_is_raised(system: System) -> None:
    keys.lock()
    wrong = "not the passphrase at all"
    with pytest.raises(WrongPassphraseError):
        keys.unlock(system.home.root_key, CUSTODIANS | {"K0002": wrong})
    (entry,) = (one for one in entries("keys.unlock") if one.outcome == "refused")
    assert b"K0002" in bytes(entry.body)
    assert wrong.encode() not in bytes(entry.body)
    with pytest.raises(KeysLockedError):
        keys.keyring()


def test_a_missing_root_file_is_recorded_and_named(system: System) -> None:
    with pytest.raises(RootFileMissingError):
        keys.unlock(system.home.root / "no-such-file", CUSTODIANS)
    assert keys.keyring()


def test_two_threads_asking_for_new_persons_get_the_same_keys(system: System) -> None:
    refs = [uuid4() for _ in range(200)]
    results: list[dict[UUID, bytes]] = []
    start = threading.Barrier(2)

    def ask() -> None:
        from django.db import connections

        start.wait()
        try:
            made = keys.keyring().person_keys(refs, ADVERSE)
            results.append({ref: key.key for ref, key in made.items()})
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert results[0] == results[1]
    assert PersonKey.objects.count() == 200
    assert DomainKey.objects.count() == 1


def owner(system: System) -> psycopg.Connection:
    return system.connect("kuimen_owner", keys=True)


def test_a_wrapped_key_moved_to_another_person_does_not_open(system: System) -> None:
    mine, theirs = uuid4(), uuid4()
    keys.keyring().person_keys([mine, theirs], IDENTITY)
    with owner(system) as connection:
        connection.execute(
            "UPDATE keys_personkey SET wrapped = (SELECT wrapped FROM keys_personkey WHERE person_ref = %s)"
            " WHERE person_ref = %s",
            (theirs, mine),
        )
    ring = reopened(system)
    with pytest.raises(KeyAlteredError):
        ring.person_keys([mine], IDENTITY)
    assert ring.person_keys([theirs], IDENTITY)


def test_a_wrapped_key_moved_to_another_class_does_not_open(system: System) -> None:
    ref = uuid4()
    ring = keys.keyring()
    ring.person_keys([ref], IDENTITY)
    ring.person_keys([ref], ADVERSE)
    with owner(system) as connection:
        connection.execute(
            "UPDATE keys_personkey SET wrapped = (SELECT wrapped FROM keys_personkey WHERE retention_class = %s)"
            " WHERE retention_class = %s",
            (IDENTITY.value, ADVERSE.value),
        )
    with pytest.raises(KeyAlteredError):
        reopened(system).person_keys([ref], ADVERSE)


def test_a_domain_key_moved_to_another_class_does_not_open(system: System) -> None:
    ring = keys.keyring()
    ring.person_keys([uuid4()], IDENTITY)
    ring.person_keys([uuid4()], ADVERSE)
    with owner(system) as connection:
        connection.execute(
            "UPDATE keys_domainkey SET wrapped = (SELECT wrapped FROM keys_domainkey WHERE retention_class = %s)"
            " WHERE retention_class = %s",
            (IDENTITY.value, ADVERSE.value),
        )
    with pytest.raises(KeyAlteredError):
        reopened(system).person_keys([uuid4()], ADVERSE)


def test_the_database_refuses_key_material_that_is_not_wrapped(system: System) -> None:
    keys.keyring().person_keys([uuid4()], IDENTITY)
    with owner(system) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE keys_personkey SET wrapped = %s", (bytes(60),))


def test_a_destroyed_key_opens_nothing_and_is_never_made_again(system: System) -> None:
    ref = uuid4()
    ring = keys.keyring()
    ring.person_keys([ref], IDENTITY)
    with pytest.raises(KeyTransitionError):
        keys.change_person_key(ref, retention_class=IDENTITY, event=KeyEvent.DESTROY, actor=SYSTEM)
    keys.change_person_key(ref, retention_class=IDENTITY, event=KeyEvent.SUSPEND, actor=SYSTEM)
    with pytest.raises(KeyDestroyedError):
        ring.person_keys_at([(ref, 1)], IDENTITY)
    keys.change_person_key(ref, retention_class=IDENTITY, event=KeyEvent.DESTROY, actor=SYSTEM)
    for fresh in (ring, reopened(system)):
        with pytest.raises(KeyDestroyedError):
            fresh.person_keys([ref], IDENTITY)
        with pytest.raises(KeyDestroyedError):
            fresh.person_keys_at([(ref, 1)], IDENTITY)
    assert PersonKey.objects.get(person_ref=ref).wrapped is None
    assert [entry.action for entry in Entry.objects.filter(object_ref=str(ref)).order_by("id")] == [
        "keys.person_key_suspend",
        "keys.person_key_destroy",
    ]


def test_a_key_destroyed_elsewhere_stops_working_here_when_the_cache_expires(system: System) -> None:
    ref = uuid4()
    ring = keys.keyring()
    ring.person_keys([ref], IDENTITY)
    with owner(system) as connection:
        connection.execute("UPDATE keys_personkey SET state = 'destroyed', wrapped = NULL")
    assert ring.person_keys([ref], IDENTITY)
    system.clock.advance(timedelta(minutes=5))
    with pytest.raises(KeyDestroyedError):
        ring.person_keys([ref], IDENTITY)


def test_a_generation_that_does_not_exist_is_left_out_and_none_is_made(system: System) -> None:
    ref = uuid4()
    assert keys.keyring().person_keys_at([(ref, 3)], IDENTITY) == {}
    assert PersonKey.objects.count() == 0
    with pytest.raises(KeyMissingError):
        keys.keyring().table_key("vault/nowhere", IDENTITY, 2)


def test_table_keys_and_index_keys_are_one_per_scope_and_survive_unlocking(system: System) -> None:
    ring = keys.keyring()
    table = ring.table_key("vault/core/notes", IDENTITY)
    index = ring.index_key("mobile")
    assert table.key != ring.table_key("vault/core/other", IDENTITY).key
    assert index.key != ring.index_key("resident_id").key
    again = reopened(system)
    assert again.table_key("vault/core/notes", IDENTITY).key == table.key
    assert again.table_key("vault/core/notes", IDENTITY, 1).key == table.key
    assert again.index_key("mobile").key == index.key
    assert again.index_key("mobile", 1).key == index.key
    with pytest.raises(KeyMissingError):
        again.index_key("mobile", 2)


def test_the_audit_signer_signs_what_its_public_key_verifies_also_after_unlocking_again(system: System) -> None:
    signer = keys.keyring().signer()
    again = reopened(system).signer()
    assert again.key_id == signer.key_id
    public = sm2.Sm2PublicKey.from_bytes(keys.keyring().public_key(signer.key_id))
    for one in (signer, again):
        public.verify(b"a checkpoint", one.sign(b"a checkpoint"))
    with pytest.raises(KeyMissingError):
        keys.keyring().public_key("audit-sm2-0000000000000000")


def test_keys_show_nothing_of_themselves_and_cannot_be_pickled(system: System) -> None:
    ref = uuid4()
    ring = keys.keyring()
    for key in (ring.person_keys([ref], IDENTITY)[ref], ring.index_key("mobile"), ring.signer()):
        with pytest.raises(TypeError):
            pickle.dumps(key)
    key = ring.person_keys([ref], IDENTITY)[ref]
    assert key.key.hex() not in repr(key)
    assert repr(key.key) not in repr(key)


def test_locking_wipes_the_root_and_the_domain_keys(system: System) -> None:
    ring = keys.keyring()
    ring.person_keys([uuid4()], IDENTITY)
    root = ring._provider._root  # type: ignore[attr-defined]
    domains = [material for _, (_, (_, material)) in ring._tree._domains._entries.items()]
    assert any(root)
    assert all(any(material) for material in domains)
    keys.lock()
    assert not any(root)
    assert not any(any(material) for material in domains)
    with pytest.raises(KeysLockedError):
        ring.person_keys([uuid4()], ADVERSE)


def test_the_status_counts_keys_without_telling_any(system: System) -> None:
    ring = keys.keyring()
    ring.person_keys([uuid4(), uuid4()], IDENTITY)
    ring.signer()
    status = keys.status()
    assert status.unlocked
    assert status.custodians == tuple(CUSTODIANS)
    assert status.person_keys == {"identity_transaction": 2}
    assert status.domain_keys == (("identity_transaction", 1, "active"),)
    assert len(status.signing_keys) == 1


def test_without_a_record_of_the_unlocking_the_keys_stay_locked(system: System) -> None:
    keys.lock()
    with system.connect("kuimen_owner") as connection:
        connection.execute("REVOKE INSERT ON audit_entry FROM kuimen_app")
    with pytest.raises(AuditUnavailableError):
        keys.unlock(system.home.root_key, CUSTODIANS)
    with pytest.raises(KeysLockedError):
        keys.keyring()
    with system.connect("kuimen_owner") as connection:
        connection.execute("GRANT INSERT ON audit_entry TO kuimen_app")
    keys.unlock(system.home.root_key, CUSTODIANS)


def test_a_process_that_holds_keys_writes_no_core(system: System) -> None:
    import ctypes
    import resource

    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 0  # PR_GET_DUMPABLE


def test_a_key_database_that_is_down_says_so_without_the_drivers_text(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import connections

    keys.keyring().person_keys([uuid4()], IDENTITY)
    connections["keys"].close()
    monkeypatch.setitem(connections["keys"].settings_dict, "NAME", "no_such_database")
    with pytest.raises(KeyStoreError) as caught:
        keys.keyring().person_keys([uuid4()], IDENTITY)
    assert "no_such_database" not in str(caught.value)
    assert caught.value.__cause__ is None
    connections["keys"].close()
