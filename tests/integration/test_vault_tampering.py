"""The vault against whoever writes past it, and beside itself: moved bytes, driver errors, threads, forks."""

import os
import subprocess
import sys
import threading
from uuid import uuid4

import psycopg
import pytest

from fixtures.installed import System
from fixtures.sealing import PHONE, clear, item, owner
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys import services as keys
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.errors import SealedValueTamperedError, VaultBusyError
from kuimen.gate.vault.models import Index, Record
from kuimen.gate.vault.opening import open_records
from kuimen.gate.vault.services import SealedRef, SealItem
from kuimen.kernels.elements.model import Element, RetentionClass


@pytest.mark.clause("CQJR-5.4-g")
@pytest.mark.parametrize("moved", ["record", "element", "person", "retention_class", "table_key"])
def test_a_ciphertext_copied_elsewhere_does_not_open_and_the_alarm_is_recorded(system: System, moved: str) -> None:
    mine, theirs = uuid4(), uuid4()
    refs = vault.seal_many(
        [
            item(1, person=mine),
            item(2, "19990005678", person=mine),
            item(3, "19990005679", person=theirs),
            item(4, person=mine, element=Element.LANDLINE),
        ]
    )
    vault.seal_many([item(5, person=mine, retention_class=RetentionClass.COLLECTION_RECORD)])
    vault.seal_many([item(6)])
    target = refs[0].record_id
    source = {"record": refs[1], "person": refs[2], "element": refs[3]}.get(moved, refs[1]).record_id
    with owner(system) as connection:
        if moved == "retention_class":
            connection.execute(
                "UPDATE vault_record SET retention_class = 'collection_record' WHERE record_id = %s", (target,)
            )
        elif moved == "table_key":
            connection.execute(
                "UPDATE vault_record SET person_ref = NULL, key_scope = 'vault/legacy_core/public.customers'"
                " WHERE record_id = %s",
                (target,),
            )
        elif moved == "element":
            connection.execute("UPDATE vault_record SET element = 'landline' WHERE record_id = %s", (target,))
        else:
            connection.execute(
                "UPDATE vault_record SET sealed = (SELECT sealed FROM vault_record WHERE record_id = %s)"
                " WHERE record_id = %s",
                (source, target),
            )
    with pytest.raises(SealedValueTamperedError) as caught:
        open_records([ref.record_id for ref in refs], purpose="test")
    assert caught.value.record_ids == {target}
    assert PHONE not in str(caught.value)
    (alarm,) = Entry.objects.filter(action="vault.tamper_alarm")
    assert alarm.outcome == "failed"
    assert str(target).encode() in bytes(alarm.body)
    assert clear(refs[2:3]) == ["19990005679"]


def test_a_record_moved_to_a_person_who_never_had_a_key_is_tampering_too(system: System) -> None:
    (ref,) = vault.seal_many([item(person=uuid4())])
    with owner(system) as connection:
        connection.execute("UPDATE vault_record SET person_ref = %s", (uuid4(),))
    with pytest.raises(SealedValueTamperedError):
        clear([ref])


def test_every_flipped_bit_of_a_sealed_value_is_noticed(system: System) -> None:
    (ref,) = vault.seal_many([item(person=uuid4())])
    sealed = bytes(Record.objects.get().sealed)
    with owner(system) as connection:
        connection.execute("ALTER TABLE vault_record DROP CONSTRAINT vault_record_is_sealed")
        for position in range(len(sealed)):
            flipped = bytearray(sealed)
            flipped[position] ^= 1 << (position % 8)
            connection.execute("UPDATE vault_record SET sealed = %s", (bytes(flipped),))
            if position == 1 and flipped[1] & 0x7F == sealed[1] & 0x7F:
                continue
            with pytest.raises(SealedValueTamperedError):
                open_records([ref.record_id], purpose="test")
        connection.execute("UPDATE vault_record SET sealed = %s", (sealed[:-1],))
        with pytest.raises(SealedValueTamperedError):
            open_records([ref.record_id], purpose="test")


@pytest.mark.parametrize(
    "written",
    [PHONE.encode() * 5, b"", b"\xc1\x01\x00\x00\x00\x07" + bytes(40), b"\xc1\x03\x00\x00\x00\x01" + bytes(40)],
    ids=["clear", "empty", "other generation", "unknown suite"],
)
def test_the_database_itself_refuses_bytes_that_are_not_sealed(system: System, written: bytes) -> None:
    vault.seal_many([item()])
    with owner(system) as connection, pytest.raises(psycopg.errors.Error):
        connection.execute("UPDATE vault_record SET sealed = %s", (written,))


def test_a_driver_error_whose_text_quotes_the_row_leaks_nowhere(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    """A unique violation prints the row's key; here the table is made to print the phone itself."""
    with owner(system) as connection:
        connection.execute(
            "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE unique_violation USING MESSAGE = 'Key (phone)=({PHONE}) already exists'; END $$"
        )
        connection.execute("CREATE TRIGGER shout BEFORE INSERT ON vault_record EXECUTE FUNCTION shout()")
    with pytest.raises(VaultBusyError) as caught:
        vault.seal_many([item()])
    error: BaseException = caught.value
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert PHONE not in str(error)
    assert PHONE not in caplog.text
    assert Entry.objects.filter(action="vault.seal").count() == 0


def test_two_jobs_sealing_the_same_rows_end_with_one_record_each(system: System) -> None:
    person = uuid4()
    batches = [[item(row, person=person) for row in range(300)] for _ in range(2)]
    batches[1].reverse()
    results: list[list[SealedRef]] = []
    start = threading.Barrier(2)

    def seal(batch: list[SealItem]) -> None:
        from django.db import connections

        start.wait()
        try:
            results.append(vault.seal_many(batch))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=seal, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert {ref.record_id for ref in results[0]} == {ref.record_id for ref in results[1]}
    assert Record.objects.count() == 300
    assert Index.objects.count() == 300


_OTHER_PROCESS = """
import os, sys
from pathlib import Path
from kuimen.entrypoints.installation import database
from kuimen.entrypoints.installation.home import InstallationHome
home = InstallationHome.locate(Path(os.environ["KUIMEN_HOME"]))
database.setup_django(home)
from uuid import UUID
from kuimen.gate.keys import services as keys
from kuimen.gate.vault.opening import open_records
keys.unlock(home.root_key, {"K0001": sys.argv[2], "K0002": sys.argv[3]})
opened = open_records([UUID(sys.argv[1])], purpose="test")
value = next(iter(opened.values()))
print(value, repr(value), value.reveal_for("test") == os.environ["EXPECTED"])
"""


def test_another_process_with_the_same_custodians_opens_what_this_one_sealed(system: System) -> None:
    (ref,) = vault.seal_many([item(person=uuid4())])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _OTHER_PROCESS, str(ref.record_id), *system.custodians.values()],
        env={**system.environment(), "EXPECTED": PHONE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "****** Sensitive(mobile) True"


def test_a_forked_worker_keeps_the_keys_and_draws_nonces_of_its_own(system: System) -> None:
    from django.db import connections

    from kuimen.kernels.ciphers import seal

    vault.seal_many([item(person=uuid4())])
    connections.close_all()
    key = bytes(16)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, seal(key, b"same", aad=b"", key_id=1) + bytes([keys.is_unlocked()]))
        os._exit(0)
    os.waitpid(child, 0)
    answer = os.read(reader, 200)
    os.close(reader)
    os.close(writer)
    assert answer[-1] == 1
    assert answer[:-1] != seal(key, b"same", aad=b"", key_id=1)
