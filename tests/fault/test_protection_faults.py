"""Protection under fire: killed processes, killed servers, writers that never stop, two protectors at once."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest
from django.db import connections

from fixtures.installed import CUSTODIANS, Installation, System
from fixtures.lender import Lender, lender_database, mobile, person_name, resident_id
from kuimen.foundation.errors import KuimenError
from kuimen.foundation.identifiers import RecordId
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.disclosure.services import bulk_for_system
from kuimen.gate.keys import services as keys
from kuimen.gate.vault.models import Record
from kuimen.governance.protection import sealing, verifying
from kuimen.governance.protection import services as protection
from kuimen.governance.protection.errors import ProtectionBusyError, SourceLostError

ROWS = 1_500
CHILD = """
import os, sys
from kuimen.entrypoints.installation import database
from kuimen.entrypoints.installation.home import InstallationHome
home = InstallationHome.locate()
database.setup_django(home)
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.governance.protection import services as protection
from kuimen.governance.protection import sealing, verifying
sealing.BLOCKS_PER_READ = verifying.BLOCKS_PER_READ = 2
keys.unlock(home.root_key, dict(item.split("=", 1) for item in sys.argv[2:]))
print("ready", flush=True)
made = protection.plan(sys.argv[1], actor=SYSTEM, overlay="fictitious")
report = protection.protect(made, actor=SYSTEM)
print("done", report.values_sealed, flush=True)
"""

pytestmark = pytest.mark.fault


@pytest.fixture(autouse=True)
def many_small_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the second process take part although the tables of the tests are short."""
    monkeypatch.setattr(sealing, "BLOCKS_PER_READ", 2)
    monkeypatch.setattr(verifying, "BLOCKS_PER_READ", 2)


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as database:
        database.execute(
            "CREATE TABLE customers (id int PRIMARY KEY, xm text NOT NULL, id_no char(18) UNIQUE, mobile text)",
            "CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, mobile text, amount int)",
        )
        with database.connect() as connection:
            connection.cursor().executemany(
                "INSERT INTO customers VALUES (%s, %s, %s, %s)",
                [(i, person_name(i), resident_id(i), mobile(i)) for i in range(ROWS)],
            )
            connection.execute("INSERT INTO orders SELECT id, id, mobile, 5 FROM customers WHERE id % 3 = 0")
        yield database


def opened_values(refs: list[object]) -> dict[object, str]:
    found = bulk_for_system("test", [RecordId(UUID(str(one))) for one in refs], procedure="protection.verify")
    return {record: value.reveal_for("test") for record, value in found}


def assert_all_sealed_once(lender: Lender) -> None:
    rows = lender.rows("SELECT id, xm_ref, id_no_ref, mobile_ref FROM customers ORDER BY id")
    refs = [ref for row in rows for ref in row[1:]]
    orders = lender.rows("SELECT customer_id, mobile_ref FROM orders ORDER BY id")
    refs += [row[1] for row in orders]
    assert len(rows) == ROWS
    assert len(set(refs)) == len(refs) == Record.objects.count()
    opened = opened_values(refs)
    for number, name, identity, phone in rows:
        index = int(str(number))
        assert (opened[name], opened[identity], opened[phone]) == (
            person_name(index),
            resident_id(index),
            mobile(index),
        )
    assert all(opened[ref] == mobile(int(str(owner))) for owner, ref in orders)
    assert not Record.objects.exclude(state="bound").exists()
    persons = dict(lender.rows("SELECT id, customer_ref FROM customers"))
    assert all(ref == persons[owner] for owner, ref in lender.rows("SELECT customer_id, customer_ref FROM orders"))


def test_a_process_killed_at_random_points_is_resumed_without_loss(
    system: System, lender: Lender, installation: Installation
) -> None:
    chance = random.Random(20261120)
    arguments = [sys.executable, "-c", CHILD, lender.dsn, *(f"{k}={v}" for k, v in CUSTODIANS.items())]
    killed = 0
    for limit in [chance.uniform(0.05, 2.5) for _ in range(6)] + [240.0]:
        child = subprocess.Popen(
            arguments, env=system.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n", child.stderr.read() if child.stderr else ""
        try:
            child.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            killed += 1
            continue
        assert child.returncode == 0
        break
    assert killed >= 1
    assert_all_sealed_once(lender)


def _killing_after(calls: int, victim: Callable[[], None]) -> Callable[[int, int, str], None]:
    left = [calls]

    def progress(_done: int, _total: int, _label: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            victim()

    return progress


def test_a_server_killed_under_source_and_vault_is_resumed_without_loss(
    system: System, lender: Lender, installation: Installation
) -> None:
    def kill() -> None:
        pid = installation.postgres.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    failures = 0
    for calls in (1, 4, 7, 9, 10_000):
        try:
            made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
            protection.protect(made, actor=SYSTEM, progress=_killing_after(calls, kill))
        except KuimenError:
            failures += 1
            connections.close_all()
            installation.postgres.start()
        else:
            if calls == 10_000:
                break
    assert failures >= 2
    assert_all_sealed_once(lender)


def test_a_table_that_is_written_to_loses_no_value(system: System, lender: Lender) -> None:
    last: dict[int, str] = {i: mobile(i) for i in range(ROWS)}
    inserted: set[int] = set()
    stop = threading.Event()

    def write() -> None:
        chance = random.Random(7)
        number = ROWS
        with psycopg.connect(lender.dsn) as connection:
            while not stop.is_set():
                try:
                    index = chance.randrange(ROWS)
                    value = mobile(chance.randrange(10_000))
                    connection.execute("UPDATE customers SET mobile = %s WHERE id = %s", (value, index))
                    connection.execute(
                        "INSERT INTO customers (id, xm, id_no, mobile) VALUES (%s, %s, %s, %s)",
                        (number, person_name(number), resident_id(number)[:-1] + "Y", value),
                    )
                    connection.commit()
                except psycopg.Error:
                    return  # the columns are gone: the application has to move to references now
                last[index] = value
                last[number] = value
                inserted.add(number)
                number += 1

    lender.execute("ALTER TABLE customers DROP CONSTRAINT customers_id_no_key")
    writer = threading.Thread(target=write)
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    writer.start()
    try:
        report = protection.protect(made, actor=SYSTEM)
    finally:
        stop.set()
        writer.join()
    assert report.complete
    rows = lender.rows("SELECT id, mobile_ref, customer_ref FROM customers")
    opened = opened_values([row[1] for row in rows])
    assert {int(str(row[0])) for row in rows} == set(last)
    assert {int(str(row[0])): opened[row[1]] for row in rows} == last
    assert all(row[2] is not None for row in rows)


def test_a_second_protector_is_refused(system: System, lender: Lender) -> None:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    refused: list[str] = []

    def intrude(_done: int, _total: int, _label: str) -> None:
        if not refused:
            refused.append("tried")
            with pytest.raises(ProtectionBusyError):
                protection.protect(made, actor=SYSTEM)

    protection.protect(made, actor=SYSTEM, progress=intrude)
    assert refused


def test_locked_keys_stop_the_job_and_unlocking_resumes_it(
    system: System, lender: Lender, root_key_file: "os.PathLike[str]"
) -> None:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    with pytest.raises(KuimenError):
        protection.protect(made, actor=SYSTEM, progress=_killing_after(4, keys.lock))
    keys.unlock(system.home.root_key, CUSTODIANS)
    again = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    assert again.job_id == made.job_id
    protection.protect(again, actor=SYSTEM)
    assert_all_sealed_once(lender)


def test_a_second_process_killed_in_the_middle_is_resumed_without_loss(system: System, lender: Lender) -> None:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")

    def kill() -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(SourceLostError):
        protection.protect(made, actor=SYSTEM, progress=_killing_after(4, kill))
    protection.protect(protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious"), actor=SYSTEM)
    assert_all_sealed_once(lender)
    assert multiprocessing.active_children() == []
