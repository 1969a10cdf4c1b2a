"""The vault under fire: a full disk in mid-rotation, keys that go away in mid-batch, values that are far too large."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection, connections
from psycopg import sql

from fixtures.installed import System
from fixtures.sealing import clear, item
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.errors import KeyStoreError
from kuimen.gate.keys.rules import KeySuite, RetentionClass
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.errors import ValueRefusedError, VaultBusyError
from kuimen.gate.vault.models import Record, RotationJob
from kuimen.gate.vault.rotation import services as rotation
from kuimen.gate.vault.rows.verifying import verify_rows
from kuimen.gate.vault.services import SealItem
from kuimen.kernels.elements.model import Element

pytestmark = pytest.mark.fault
IDENTITY = RetentionClass.IDENTITY_TRANSACTION
MEGABYTE = 1024 * 1024
LONG = 700_000


def long_items(count: int) -> list[SealItem]:
    return [
        item(row, f"{row:03}" + "x" * LONG, element=Element.FREE_TEXT, person=uuid4(), retention_class=IDENTITY)
        for row in range(count)
    ]


def limit_files_of_the_server_process(system: System, size: int) -> None:
    """Let the server process of this connection write no file beyond a size: the kernel refuses, as on a full disk."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    owner = system.postgres.data_dir.stat()
    as_owner = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(["prlimit", "--pid", str(pid), f"--fsize={size}"], check=True, **as_owner)


def size_of_long_values() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size(reltoastrelid) FROM pg_class WHERE relname = 'vault_record'")
        return int(cursor.fetchone()[0])


def test_a_disk_that_fills_up_in_mid_rotation_stops_it_by_name_and_loses_nothing(system: System) -> None:
    refs = vault.seal_many(long_items(26))
    size = size_of_long_values()
    assert size > 17 * MEGABYTE  # above the segments of the write-ahead log, which the limit must not hit
    limit_files_of_the_server_process(system, size + 5 * MEGABYTE)
    with pytest.raises(VaultBusyError) as caught:
        rotation.reencrypt(IDENTITY, suite=KeySuite.AES_256_GCM, actor=SYSTEM, batch=3)
    assert caught.value.__cause__ is None
    assert "x" * 10 not in str(caught.value)
    job = RotationJob.objects.get()
    assert 0 < job.changed < len(refs)
    assert Record.objects.filter(key_generation=2).count() == job.changed
    opened = clear(refs)
    assert [text[:3] for text in opened] == [f"{row:03}" for row in range(26)]
    with pytest.raises(VaultBusyError):
        vault.seal_many(long_items(40)[26:])
    assert Record.objects.count() == 26
    connection.close()  # the next server process has room again
    assert rotation.reencrypt(IDENTITY, actor=SYSTEM).finished
    assert clear(refs) == opened
    assert verify_rows(actor=SYSTEM).sound


@contextmanager
def keys_away(system: System) -> Iterator[None]:
    """Shut the database of keys and end whoever is connected to it."""
    name = sql.Identifier(system.keys)
    with psycopg.connect(system.postgres.dsn("kuimen_admin", "postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (system.keys,))
        try:
            yield
        finally:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
            connections["keys"].close()


def test_keys_that_go_away_in_mid_batch_stop_every_deed_by_name_and_lose_nothing(system: System) -> None:
    people = [uuid4() for _ in range(12)]
    values = {row: f"1999000{row:04}" for row in range(12)}
    refs = vault.seal_many([phone(row, values[row], people[row]) for row in range(12)])
    away = keys_away(system)

    def leave(done: int, _total: int) -> None:
        if done == 4:
            away.__enter__()

    with pytest.raises(KeyStoreError):
        rotation.reencrypt(IDENTITY, actor=SYSTEM, batch=4, advance=leave)
    with pytest.raises(KeyStoreError):
        vault.seal_many([phone(50, "19990000050", uuid4())])
    with pytest.raises(KeyStoreError):
        clear(refs)
    away.__exit__(None, None, None)
    assert Record.objects.count() == 12
    assert RotationJob.objects.get().changed == 4
    assert clear(refs) == list(values.values())
    assert rotation.reencrypt(IDENTITY, actor=SYSTEM).finished
    keys.lock()
    keys.unlock(system.home.root_key, system.custodians)
    assert clear(refs) == list(values.values())
    assert verify_rows(actor=SYSTEM).sound


def phone(row: int, text: str, person: UUID) -> SealItem:
    return item(row, text, person=person, retention_class=IDENTITY)


def test_a_value_of_a_hundred_megabytes_is_refused_by_position_and_nothing_of_its_batch_is_written(
    system: System,
) -> None:
    with pytest.raises(ValueRefusedError) as caught:
        vault.seal_many([phone(1, "19990000001", uuid4()), item(2, "9" * 100 * MEGABYTE, element=Element.FREE_TEXT)])
    assert "item 1" in str(caught.value)
    assert len(str(caught.value)) < 200
    assert Record.objects.count() == 0
