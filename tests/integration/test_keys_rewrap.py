"""Rotating a domain key and rewrapping: nothing is lost, no read fails, whatever is killed on the way.

`KUIMEN_KILL_POINTS=200` kills as often as a release wants it; a few points are enough for every day.
"""

import os
import random
import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections

from fixtures.installed import CUSTODIANS, System
from fixtures.killing import killed_at
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.domain_keys import destroy_domain_version, keys_under_other_versions
from kuimen.gate.keys.errors import (
    DomainKeyInUseError,
    KeyAlteredError,
    KeyMissingError,
    KeyStoreError,
    KeyTransitionError,
    RotationConflictError,
)
from kuimen.gate.keys.models import DomainKey, PersonKey, RewrapJob
from kuimen.gate.keys.rewrap import RewrapReport, plan_rewrap, run_rewrap
from kuimen.gate.keys.rules import KeyEvent, KeyState, KeySuite, RetentionClass

IDENTITY = RetentionClass.IDENTITY_TRANSACTION
SEED = 20261122
KILL_POINTS = int(os.environ.get("KUIMEN_KILL_POINTS", "4"))


def owner(system: System) -> psycopg.Connection:
    return system.connect("kuimen_owner", keys=True)


def people(count: int) -> dict[UUID, bytes]:
    made = keys.keyring().person_keys([uuid4() for _ in range(count)], IDENTITY)
    return {ref: key.key for ref, key in made.items()}


def material_of(refs: object) -> dict[UUID, bytes]:
    return {ref: key.key for ref, key in keys.keyring().person_keys(list(refs), IDENTITY).items()}  # type: ignore[call-overload]


def reopened(system: System) -> None:
    keys.lock()
    keys.unlock(system.home.root_key, CUSTODIANS)


def rewrap(batch: int = 20) -> RewrapReport:
    return run_rewrap(keys.keyring(), IDENTITY, actor=SYSTEM, batch=batch)


@pytest.mark.clause("JRT0171-6.2.4-a")
def test_rewrapped_keys_are_the_same_keys_under_the_new_version_and_the_old_one_can_be_destroyed(
    system: System,
) -> None:
    before = people(50)
    table = keys.keyring().table_key("vault/core/notes", IDENTITY).key
    assert keys.rotate_domain(IDENTITY, actor=SYSTEM, suite=KeySuite.AES_256_GCM) == 2
    plan = plan_rewrap(IDENTITY)
    assert (plan.to_version, plan.to_do, dict(plan.person_keys)) == (2, 51, {1: 50})
    with pytest.raises(DomainKeyInUseError, match="51"):
        destroy_domain_version(IDENTITY, 1, actor=SYSTEM)
    report = rewrap()
    assert (report.rewrapped, report.left, report.finished, report.does_not_open) == (51, 0, True, 0)
    destroy_domain_version(IDENTITY, 1, actor=SYSTEM)
    reopened(system)
    assert material_of(before) == before
    assert keys.keyring().table_key("vault/core/notes", IDENTITY).key == table
    row = DomainKey.objects.get(version=1)
    assert (row.state, row.wrapped) == (KeyState.DESTROYED.value, None)
    actions = [entry.action for entry in Entry.objects.filter(object_ref="identity_transaction/1").order_by("id")]
    assert actions[-2:] == ["keys.domain_key_destroyed", "keys.domain_use"]  # counted uses come when it is locked


def test_a_key_made_while_another_process_rotates_never_stands_under_the_old_version(system: System) -> None:
    people(3)
    ring = keys.keyring()
    ring.tree.domain_version(IDENTITY)  # cached: this process still believes in version 1
    with owner(system) as other:
        other.execute(
            "UPDATE keys_domainkey SET state = 'retired' WHERE version = 1;"
            " INSERT INTO keys_domainkey (retention_class, version, suite, wrapped, state, created_at, state_since,"
            " uses_leased) SELECT retention_class, 2, suite, wrapped, 'suspended', created_at, state_since, 0"
            " FROM keys_domainkey"
        )
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    ring.tree._domains.put((IDENTITY, None), ring.tree._domain(IDENTITY, 1))  # as a stale cache would
    made = people(4)
    assert set(PersonKey.objects.filter(person_ref__in=made).values_list("domain_version", flat=True)) == {3}


def test_the_active_version_is_not_destroyed_and_an_unknown_one_is_missing(system: System) -> None:
    people(1)
    with pytest.raises(KeyTransitionError):
        destroy_domain_version(IDENTITY, 1, actor=SYSTEM)
    with pytest.raises(KeyMissingError):
        destroy_domain_version(IDENTITY, 7, actor=SYSTEM)
    with pytest.raises(KeyMissingError):
        plan_rewrap(RetentionClass.ADVERSE_ITEM)


def test_destroying_again_after_a_cut_ends_well(system: System) -> None:
    people(1)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    rewrap()
    for _ in range(2):
        destroy_domain_version(IDENTITY, 1, actor=SYSTEM)


def test_suspended_keys_are_rewrapped_too_and_destroyed_ones_need_nothing(system: System) -> None:
    suspended, destroyed, *_ = before = people(4)
    for ref in (suspended, destroyed):
        keys.change_person_key(ref, retention_class=IDENTITY, event=KeyEvent.SUSPEND, actor=SYSTEM)
    keys.change_person_key(destroyed, retention_class=IDENTITY, event=KeyEvent.DESTROY, actor=SYSTEM)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    assert rewrap().rewrapped == 3
    destroy_domain_version(IDENTITY, 1, actor=SYSTEM)
    keys.change_person_key(suspended, retention_class=IDENTITY, event=KeyEvent.RESTORE, actor=SYSTEM)
    opened = keys.keyring().person_keys_at([(suspended, 1)], IDENTITY)
    assert opened[(suspended, 1)].key == before[suspended]


def test_a_key_that_does_not_open_is_reported_left_alone_and_taken_up_once_it_was_mended(system: System) -> None:
    mine, theirs, *_ = people(5)
    with owner(system) as connection:
        (original,) = connection.execute("SELECT wrapped FROM keys_personkey WHERE person_ref = %s", (mine,)).fetchone()  # type: ignore[misc]
        connection.execute(
            "UPDATE keys_personkey SET wrapped = (SELECT wrapped FROM keys_personkey WHERE person_ref = %s)"
            " WHERE person_ref = %s",
            (theirs, mine),
        )
        keys.rotate_domain(IDENTITY, actor=SYSTEM)
        report = rewrap(batch=2)
        assert (report.rewrapped, report.does_not_open, report.left, report.finished) == (4, 1, 1, False)
        assert Entry.objects.filter(action="keys.tamper_alarm").count() == 2  # one each pass
        with pytest.raises(DomainKeyInUseError):
            destroy_domain_version(IDENTITY, 1, actor=SYSTEM)
        connection.execute("UPDATE keys_personkey SET wrapped = %s WHERE person_ref = %s", (original, mine))
    assert rewrap().finished


def test_a_swap_that_another_process_overtook_is_taken_up_again(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kuimen.gate.keys import rewrap as module

    before = people(10)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    real = module._renewed
    overtaken: list[int] = []

    def overtake(*arguments: object) -> object:
        result = real(*arguments)  # type: ignore[arg-type]
        if not overtaken:
            overtaken.append(1)
            with owner(system) as other:  # the bytes change between reading and writing, and still open afterwards
                other.execute(
                    "UPDATE keys_personkey SET wrapped = %s, domain_version = 2 WHERE id = %s",
                    (result[0][0][1], result[0][0][0].row_id),  # type: ignore[index]
                )
        return result

    monkeypatch.setattr(module, "_renewed", overtake)
    report = rewrap()
    assert (report.rewrapped, report.swaps_lost, report.left) == (9, 1, 0)
    reopened(system)
    assert material_of(before) == before


def test_two_rewraps_at_once_lose_nothing_and_one_steps_back(system: System) -> None:
    before = people(300)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    start = threading.Barrier(2)
    ended: list[object] = []

    def run() -> None:
        start.wait()
        try:
            ended.append(rewrap(batch=10))
        except RotationConflictError as conflict:
            ended.append(conflict)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 2
    assert any(isinstance(one, RewrapReport) for one in ended)
    rewrap()
    assert keys_under_other_versions(IDENTITY, 2) == 0
    reopened(system)
    assert material_of(before) == before


def reading(refs: list[UUID], failures: list[BaseException], stop: threading.Event) -> Callable[[], None]:
    """Read keys past every cache until told to stop."""

    def run() -> None:
        ring = keys.keyring()
        try:
            while not stop.is_set():
                for ref in refs:
                    ring.forget_person(ref)
                if len(ring.person_keys(refs, IDENTITY)) != len(refs):
                    failures.append(AssertionError("a key is missing"))
        except BaseException as failure:  # noqa: BLE001 - told to the test
            failures.append(failure)
        finally:
            connections.close_all()

    return run


def test_no_read_fails_while_keys_are_rewrapped_and_old_versions_destroyed(system: System) -> None:
    before = people(200)
    failures: list[BaseException] = []
    stop = threading.Event()
    reader = threading.Thread(target=reading(list(before)[:20], failures, stop))
    reader.start()
    try:
        for version in (2, 3):
            keys.rotate_domain(IDENTITY, actor=SYSTEM)
            rewrap(batch=10)
            destroy_domain_version(IDENTITY, version - 1, actor=SYSTEM)
    finally:
        stop.set()
        reader.join()
    assert failures == []
    assert material_of(before) == before


def test_a_full_or_dead_key_database_stops_the_job_with_a_named_error_and_it_goes_on_later(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = people(60)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    with owner(system) as other:  # a trigger that refuses as a full disk does, with the server's own error
        other.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.person_cursor > 0"
            " AND NEW.rewrapped >= 40 THEN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END IF; RETURN NEW; END $$"
        )
        other.execute("GRANT EXECUTE ON FUNCTION full_disk() TO PUBLIC")
        other.execute(
            "CREATE TRIGGER full_disk BEFORE UPDATE ON keys_rewrapjob FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
        with pytest.raises(KeyStoreError) as caught:
            rewrap(batch=20)
        assert "disk" not in str(caught.value)
        job = RewrapJob.objects.get()
        assert (job.rewrapped, job.running) == (20, True)
        assert PersonKey.objects.filter(domain_version=2).count() == 20
        assert material_of(before) == before
        other.execute("DROP TRIGGER full_disk ON keys_rewrapjob")
    assert rewrap().finished
    reopened(system)
    assert material_of(before) == before


def kill_at_random_points(system: System, points: int, *, statements: int, seed: int) -> int:
    """Rotate, kill the rewrap at a random statement, read everything, finish, read everything; return the kills."""
    draw = random.Random(seed)
    before = people(40)
    kills = 0
    for _ in range(points):
        keys.rotate_domain(IDENTITY, actor=SYSTEM)
        kills += killed_at(lambda: rewrap(batch=10), draw.randint(1, statements), before=draw.random() < 0.5)
        with owner(system) as connection:
            mixed = connection.execute(
                "SELECT count(*) FROM keys_rewrapjob AS job WHERE running AND job.rewrapped <>"
                " (SELECT count(*) FROM keys_personkey WHERE domain_version = job.to_version)"
            ).fetchone()
        assert mixed == (0,)
        reopened(system)
        assert material_of(before) == before
        report = rewrap(batch=10)
        assert (report.left, report.swaps_lost) == (0, 0)
        assert report.rewrapped in (0, 40)  # 0: it was killed behind the end of the job
    reopened(system)
    assert material_of(before) == before
    return kills


@pytest.mark.fault
def test_a_rewrap_that_is_killed_goes_on_and_loses_nothing(system: System) -> None:
    kills = kill_at_random_points(system, KILL_POINTS, statements=26, seed=SEED)
    assert kills >= KILL_POINTS // 2


def test_an_altered_domain_key_stops_the_rewrap_before_anything_is_written(system: System) -> None:
    people(2)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)
    with owner(system) as connection:
        connection.execute("UPDATE keys_domainkey SET wrapped = (SELECT wrapped FROM keys_domainkey WHERE version = 1)")
    reopened(system)
    with pytest.raises(KeyAlteredError):
        rewrap()
    assert set(PersonKey.objects.values_list("domain_version", flat=True)) == {1}
