"""Re-encrypt, re-index, merge: readers and writers never fail, nothing is lost, two persons end what is old."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections

from fixtures.installed import System
from fixtures.people import appoint_officers
from fixtures.rotating import IDENTITY, clear, found, item, phone, reopened, sealed_people
from kuimen.gate.access.errors import NotPermittedError
from kuimen.gate.access.rules import Role
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.errors import TicketMismatchError, TicketTransitionError
from kuimen.gate.approvals.rules import TicketState
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.deeds import Deed, DeedKind
from kuimen.gate.keys.errors import DomainKeyInUseError, KeyDestroyedError
from kuimen.gate.keys.models import DomainKey, IndexKey, PersonKey
from kuimen.gate.keys.rules import KeyEvent, KeyState, KeySuite
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.errors import (
    NotReadyToCutOverError,
    RotationInputError,
    RotationUnderWayError,
    SealedValueTamperedError,
    VaultBusyError,
)
from kuimen.gate.vault.models import Index, Record, RotationJob
from kuimen.gate.vault.rotation import approved, services
from kuimen.kernels.elements.model import Element

CACHES_ARE_NEW = timedelta(minutes=5, seconds=1)
CUT_OVER = Deed(kind=DeedKind.CUT_OVER, subject="mobile", number=2)
DROP = Deed(kind=DeedKind.DROP_INDEX, subject="mobile", number=1)
DESTROY = Deed(kind=DeedKind.DESTROY_DOMAIN, subject=IDENTITY.value, number=1)


def owner(system: System, *, of_keys: bool = False) -> psycopg.Connection:
    return system.connect("kuimen_owner", keys=of_keys)


@pytest.mark.clause("JRT0171-6.2.4-a")
def test_reencrypted_records_are_the_same_values_under_new_keys_of_the_new_suite(system: System) -> None:
    before = sealed_people(30, with_table_key=5)
    old = dict(Record.objects.values_list("record_id", "sealed"))
    assert services.plan_reencrypt(IDENTITY, suite=KeySuite.AES_256_GCM).records == {"sm4-gcm": 35}
    report = services.reencrypt(IDENTITY, suite=KeySuite.AES_256_GCM, actor=SYSTEM, batch=8)
    assert (report.changed, report.left, report.finished, report.does_not_open) == (35, 0, True, 0)
    assert services.plan_reencrypt(IDENTITY).records == {"aes-256-gcm": 35}
    reopened(system)
    assert clear(list(before)) == before
    assert {row.key_generation for row in Record.objects.all()} == {2}
    assert not set(map(bytes, old.values())) & {bytes(row.sealed) for row in Record.objects.all()}
    assert found(phone(3))
    states = sorted(PersonKey.objects.values_list("generation", "state").distinct())
    assert states == [(1, "retired"), (2, "active")]
    assert Entry.objects.filter(action="vault.reencrypt_proof").count() == 1


def test_a_second_reencryption_of_the_same_suite_makes_keys_anew(system: System) -> None:
    before = sealed_people(3)
    for generation in (2, 3):
        assert services.reencrypt(IDENTITY, actor=SYSTEM).changed == 3
        assert {row.key_generation for row in Record.objects.all()} == {generation}
    assert clear(list(before)) == before


def test_what_is_written_during_a_reencryption_is_not_lost_and_taken_up(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sealed_people(10)
    from kuimen.gate.vault.rotation.resealing import ReEncrypting

    real, overtaken = ReEncrypting.prepare, []

    def overtake(self: ReEncrypting, rows: Sequence[object]) -> object:
        prepared = real(self, rows)  # type: ignore[arg-type]
        if not overtaken:  # a writer seals another value over the first record meanwhile
            overtaken.append(1)
            first = next(iter(before))
            row = Record.objects.get(record_id=first)
            vault.seal_many([item(int.from_bytes(row.source_key), phone(77), row.person_ref)])
            before[first] = phone(77)
        return prepared

    monkeypatch.setattr(ReEncrypting, "prepare", overtake)
    report = services.reencrypt(IDENTITY, actor=SYSTEM, suite=KeySuite.AES_256_GCM)
    assert (report.swaps_lost, report.left) == (1, 0)
    assert clear(list(before)) == before


def test_records_of_a_suspended_person_wait_and_broken_ones_raise_the_alarm_once_a_pass(system: System) -> None:
    before = sealed_people(6)
    ids = list(before)
    barred = Record.objects.get(record_id=ids[0])
    keys.change_person_key(barred.person_ref, retention_class=IDENTITY, event=KeyEvent.SUSPEND, actor=SYSTEM)
    with owner(system) as connection:
        connection.execute(
            "UPDATE vault_record SET sealed = (SELECT sealed FROM vault_record WHERE record_id = %s)"
            " WHERE record_id = %s",
            (ids[2], ids[1]),
        )
    report = services.reencrypt(IDENTITY, actor=SYSTEM, batch=2)
    assert (report.changed, report.does_not_open, report.left, report.finished) == (4, 1, 1, False)
    assert Record.objects.get(record_id=ids[0]).key_generation == 1
    assert Entry.objects.filter(action="vault.tamper_alarm").exists()
    with pytest.raises(SealedValueTamperedError):
        clear([ids[1]])
    assert clear(ids[2:]) == {one: before[one] for one in ids[2:]}


def test_an_unfinished_job_gives_way_to_one_of_another_suite_and_two_of_one_kind_never_run(system: System) -> None:
    before = sealed_people(3)
    from kuimen.gate.vault.rotation import jobs
    from kuimen.gate.vault.rules import RotationKind

    jobs.begin(RotationKind.REENCRYPT, IDENTITY.value, actor=SYSTEM, suite="sm4-gcm")
    with pytest.raises(RotationUnderWayError):
        jobs.begin(RotationKind.REENCRYPT, IDENTITY.value, actor=SYSTEM, suite="sm4-gcm")
    assert services.reencrypt(IDENTITY, actor=SYSTEM, suite=KeySuite.AES_256_GCM).finished
    assert RotationJob.objects.filter(running=True).count() == 0
    vault.seal_many([item(40, phone(40), uuid4())])
    assert services.plan_reencrypt(IDENTITY).records == {"aes-256-gcm": 4}
    assert clear(list(before)) == before


def test_a_reindex_reads_either_writes_both_cuts_over_and_drops_by_two_persons(
    system: System,
) -> None:
    people = appoint_officers()
    before = sealed_people(12)
    report = services.reindex(Element.MOBILE, actor=SYSTEM, batch=5)
    assert (report.changed, report.left, report.finished) == (12, 0, True)
    vault.seal_many([item(50, phone(50), uuid4())])
    assert set(Index.objects.values_list("generation", flat=True)) == {1, 2}
    assert Index.objects.count() == 26
    assert all(found(text) == [one] for one, text in before.items())

    with pytest.raises(NotReadyToCutOverError, match="seconds"):
        approved.ask(CUT_OVER, maker=people.maker, reason="轮换索引密钥")
    system.clock.advance(CACHES_ARE_NEW)
    ticket = approved.ask(CUT_OVER, maker=people.maker, reason="轮换索引密钥")
    with pytest.raises(TicketTransitionError):
        approved.carry_out(CUT_OVER, ticket_id=ticket.ticket_id, actor=people.maker)
    approvals.approve(ticket.ticket_id, checker=people.checker)
    with pytest.raises(TicketMismatchError):
        approved.carry_out(replace(CUT_OVER, number=1), ticket_id=ticket.ticket_id, actor=people.maker)
    assert approved.carry_out(CUT_OVER, ticket_id=ticket.ticket_id, actor=people.maker).facts["ended"] == [1]
    assert all(found(text) == [one] for one, text in before.items())
    vault.seal_many([item(51, phone(51), uuid4())])
    assert Index.objects.filter(generation=1).count() == 13
    assert found(phone(51))

    with pytest.raises(NotReadyToCutOverError):
        approved.ask(DROP, maker=people.maker, reason="删除旧索引")
    system.clock.advance(CACHES_ARE_NEW)
    ticket = approved.ask(DROP, maker=people.maker, reason="删除旧索引")
    approvals.approve(ticket.ticket_id, checker=people.checker)
    assert approved.carry_out(DROP, ticket_id=ticket.ticket_id, actor=people.maker).facts["tags_deleted"] == 13
    assert not Index.objects.filter(generation=1).exists()
    assert IndexKey.objects.get(element="mobile", generation=1).state == KeyState.DESTROYED.value
    reopened(system)
    assert all(found(text) == [one] for one, text in before.items())


def test_a_stale_writer_leaves_a_record_that_the_cut_over_refuses_to_lose(system: System) -> None:
    people = appoint_officers()
    sealed_people(2)
    stale = keys.keyring().index_keys("mobile")
    services.reindex(Element.MOBILE, actor=SYSTEM)
    system.clock.advance(CACHES_ARE_NEW)
    keys.keyring().tree._indexes.put("mobile", stale)  # as another process would have held it
    vault.seal_many([item(60, phone(60), uuid4())])
    keys.keyring().tree.forget_index("mobile")
    with pytest.raises(NotReadyToCutOverError, match="1 records"):
        approved.ask(CUT_OVER, maker=people.maker, reason="轮换索引密钥")
    assert services.plan_reindex(Element.MOBILE).untagged == 1
    assert services.reindex(Element.MOBILE, actor=SYSTEM).left == 0
    approved.ask(CUT_OVER, maker=people.maker, reason="轮换索引密钥")
    assert found(phone(60))


def test_a_value_that_changes_while_it_is_tagged_never_keeps_the_tag_of_the_old_one(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = sealed_people(1)
    from kuimen.gate.vault.rotation.reindexing import ReIndexing

    real, overtaken = ReIndexing.prepare, []

    def overtake(self: ReIndexing, rows: Sequence[object]) -> object:
        prepared = real(self, rows)  # type: ignore[arg-type]
        if not overtaken:
            overtaken.append(1)
            row = Record.objects.get(record_id=record)
            vault.seal_many([item(0, phone(88), row.person_ref)])
        return prepared

    monkeypatch.setattr(ReIndexing, "prepare", overtake)
    assert services.reindex(Element.MOBILE, actor=SYSTEM).left == 0
    assert found(phone(0)) == []
    assert found(phone(88)) == [record]
    assert Index.objects.filter(record_id=record).count() == 2


def test_merging_moves_everything_to_the_survivor_and_nothing_opens_as_the_merged_one(system: System) -> None:
    merged, survivor = uuid4(), uuid4()
    refs = vault.seal_many([item(row, phone(row), merged) for row in range(5)] + [item(9, phone(9), survivor)])
    ids = [ref.record_id for ref in refs]
    report = services.merge_persons(merged, survivor, actor=SYSTEM, batch=2)
    assert (report.changed, report.left, report.finished) == (5, 0, True)
    assert vault.records_of(merged) == []
    assert len(vault.records_of(survivor)) == 6
    reopened(system)
    assert sorted(clear(ids).values()) == sorted([*map(phone, range(5)), phone(9)])
    assert found(phone(3)) == [ids[3]]
    with owner(system) as connection:
        connection.execute("UPDATE vault_record SET person_ref = %s WHERE record_id = %s", (merged, ids[0]))
    with pytest.raises(SealedValueTamperedError):
        clear([ids[0]])
    with pytest.raises(RotationInputError):
        services.merge_persons(survivor, survivor, actor=SYSTEM)


def test_nothing_is_merged_into_a_person_whose_key_was_destroyed(system: System) -> None:
    merged, survivor = uuid4(), uuid4()
    vault.seal_many([item(1, phone(1), merged), item(2, phone(2), survivor)])
    keys.change_person_key(survivor, retention_class=IDENTITY, event=KeyEvent.SUSPEND, actor=SYSTEM)
    with pytest.raises(KeyDestroyedError):
        services.merge_persons(merged, survivor, actor=SYSTEM)
    assert len(vault.records_of(merged)) == 1


def test_an_old_domain_key_is_destroyed_by_two_persons_only_and_only_when_nothing_stands_under_it(
    system: System,
) -> None:
    people = appoint_officers()
    outsider = people.hire("C0001", Role.COLLECTOR)
    before = sealed_people(4)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    with pytest.raises(DomainKeyInUseError):
        approved.ask(DESTROY, maker=people.maker, reason="幸存者已重新包裹")
    services.rewrap(IDENTITY, actor=SYSTEM)
    with pytest.raises(NotPermittedError):
        approved.ask(DESTROY, maker=outsider, reason="幸存者已重新包裹")
    ticket = approved.ask(DESTROY, maker=people.maker, reason="幸存者已重新包裹")
    approvals.approve(ticket.ticket_id, checker=people.checker)
    approved.carry_out(DESTROY, ticket_id=ticket.ticket_id, actor=people.maker)
    assert DomainKey.objects.get(retention_class=IDENTITY.value, version=1).wrapped is None
    assert approvals.find(ticket.ticket_id).state is TicketState.REDEEMED
    reopened(system)
    assert clear(list(before)) == before


def test_a_full_vault_database_stops_the_job_with_a_named_error_and_it_goes_on_later(system: System) -> None:
    before = sealed_people(12)
    with owner(system) as other:
        other.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.changed >= 8"
            " THEN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END $$"
        )
        other.execute("GRANT EXECUTE ON FUNCTION full_disk() TO PUBLIC")
        other.execute(
            "CREATE TRIGGER full_disk BEFORE UPDATE ON vault_rotationjob FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
        with pytest.raises(VaultBusyError) as caught:
            services.reencrypt(IDENTITY, actor=SYSTEM, batch=4)
        assert "disk" not in str(caught.value)
        assert clear(list(before)) == before
        assert Record.objects.filter(key_generation=2).count() == RotationJob.objects.get().changed == 4
        other.execute("DROP TRIGGER full_disk ON vault_rotationjob")
    assert services.reencrypt(IDENTITY, actor=SYSTEM, batch=4).finished
    assert clear(list(before)) == before


def test_readers_and_writers_never_fail_meanwhile(system: System) -> None:
    before = sealed_people(60)
    failures: list[BaseException] = []
    stop = threading.Event()
    written: dict[UUID, str] = {}

    def work() -> None:
        row = 1000
        try:
            while not stop.is_set():
                assert clear(list(before)[:10]) == {one: before[one] for one in list(before)[:10]}
                row += 1
                (made,) = vault.seal_many([item(row, phone(row), uuid4())])
                written[made.record_id] = phone(row)
                assert found(phone(row)) == [made.record_id]
                assert found(phone(5))
        except BaseException as failure:  # noqa: BLE001 - told to the test
            failures.append(failure)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        services.reencrypt(IDENTITY, actor=SYSTEM, suite=KeySuite.AES_256_GCM, batch=10)
        services.reindex(Element.MOBILE, actor=SYSTEM, batch=10)
        keys.rotate_domain(IDENTITY, actor=SYSTEM)
        services.rewrap(IDENTITY, actor=SYSTEM, batch=10)
    finally:
        stop.set()
        worker.join()
    assert failures == []
    assert clear([*before, *written]) == before | written
