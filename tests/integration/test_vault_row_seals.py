"""Row seals: a field put back by itself is found at opening, a whole row put back by the audit log."""

import threading
from collections import Counter
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections, transaction

from fixtures.installed import System
from fixtures.sealing import clear, item, owner
from kuimen.foundation import clock
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.rules import KeyEvent, RetentionClass
from kuimen.gate.vault import erasing, sealing
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.controls import identity_elements_are_sealed
from kuimen.gate.vault.errors import RowAlteredError
from kuimen.gate.vault.models import Record, RowSeal
from kuimen.gate.vault.rotation import services as rotation
from kuimen.gate.vault.rows.tying import Tie
from kuimen.gate.vault.rows.verifying import verify_rows
from kuimen.gate.vault.sealing import SealItem
from kuimen.gate.vault.services import SealedRef
from kuimen.gate.vault.unsealing import CONTEXT_WITHOUT_ROW
from kuimen.kernels.elements.model import Element
from kuimen.standard import Outcome, ProbeContext

IDENTITY = RetentionClass.IDENTITY_TRANSACTION
OLD, NEW, NAME = "19990001234", "19990005678", "张三"


def fields(row: int, person: UUID, *, phone: str = OLD) -> list[SealItem]:
    """Return two fields of one source row."""
    return [
        item(row, phone, person=person, retention_class=IDENTITY),
        item(row, NAME, person=person, element=Element.PERSON_NAME, column="name", retention_class=IDENTITY),
    ]


def snapshot(connection: psycopg.Connection) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """Return every sealed value and every seal, as a thief of a backup has them."""
    return (
        connection.execute("SELECT record_id, sealed, key_generation FROM vault_record").fetchall(),
        connection.execute("SELECT source_key, revision, key_generation, tag FROM vault_row_seal").fetchall(),
    )


def put_back(connection: psycopg.Connection, record: object, old: list[tuple[object, ...]]) -> None:
    (sealed, generation) = next((row[1], row[2]) for row in old if row[0] == record)
    connection.execute(
        "UPDATE vault_record SET sealed = %s, key_generation = %s WHERE record_id = %s", (sealed, generation, record)
    )


def changed_twice(system: System) -> tuple[list[SealedRef], tuple[list[tuple[object, ...]], list[tuple[object, ...]]]]:
    """Seal two rows, remember the tables, and change the phone of the first row."""
    person = uuid4()
    refs = vault.seal_many([*fields(1, person), *fields(2, person)])
    with owner(system) as connection:
        before = snapshot(connection)
    vault.seal_many(fields(1, person, phone=NEW)[:1])
    assert clear(refs) == [NEW, NAME, OLD, NAME]
    return refs, before


def sealed_by_an_earlier_release(monkeypatch: pytest.MonkeyPatch, items: list[SealItem]) -> list[SealedRef]:
    with monkeypatch.context() as earlier:
        earlier.setattr(sealing, "CONTEXT_OF_ALL", CONTEXT_WITHOUT_ROW)
        earlier.setattr(Tie, "seal", lambda _tie, _written: Counter())
        return vault.seal_many(items)


@pytest.mark.clause("CQJR-5.5-c")
def test_a_field_put_back_by_itself_is_refused_with_its_whole_row_and_named_without_a_value(system: System) -> None:
    refs, (records, _) = changed_twice(system)
    with owner(system) as connection:
        put_back(connection, refs[0].record_id, records)
    for wanted in (refs[0], refs[1]):
        with pytest.raises(RowAlteredError) as caught:
            clear([wanted])
        assert caught.value.record_ids == {wanted.record_id}
        assert caught.value.elements == {"mobile", "person_name"}
        assert not any(value in str(caught.value) for value in (OLD, NEW, NAME))
    assert Entry.objects.filter(action="vault.tamper_alarm").count() == 2
    assert clear(refs[2:]) == [OLD, NAME]


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE vault_row_seal SET revision = revision - 1 WHERE revision > 1",
        "UPDATE vault_row_seal SET revision = revision + 1 WHERE revision > 1",
        "UPDATE vault_row_seal SET key_generation = 9 WHERE revision > 1",
        "UPDATE vault_row_seal SET tag = (SELECT tag FROM vault_row_seal WHERE revision = 1) WHERE revision > 1",
        "DELETE FROM vault_row_seal WHERE revision > 1",
        "DELETE FROM vault_index; DELETE FROM vault_record WHERE source_column = 'name'",
        "UPDATE vault_record SET source_column = record_id::text, source_key = set_byte(source_key, 31, 1)",
    ],
    ids=["revision back", "revision on", "generation", "foreign seal", "no seal", "field removed", "field added"],
)
def test_whatever_is_done_to_a_row_past_the_vault_is_refused(system: System, deed: str) -> None:
    refs, _ = changed_twice(system)
    with owner(system) as connection:
        for statement in deed.split("; "):
            connection.execute(statement)
    with pytest.raises(RowAlteredError):
        clear(refs[:1])


def test_a_whole_row_put_back_opens_and_is_found_by_the_audit_log_with_its_table(system: System) -> None:
    refs, (records, seals) = changed_twice(system)
    assert verify_rows(actor=SYSTEM).sound
    with owner(system) as connection:
        put_back(connection, refs[0].record_id, records)
        for key, revision, generation, tag in seals:
            connection.execute(
                "UPDATE vault_row_seal SET revision = %s, key_generation = %s, tag = %s WHERE source_key = %s",
                (revision, generation, tag, key),
            )
    assert clear(refs[:1]) == [OLD]  # every seal is genuine: only the log knows that a later one was written
    report = verify_rows(actor=SYSTEM)
    assert (report.altered, report.unsealed, report.sound) == ((), 0, False)
    assert report.put_back == {"legacy_core/public.customers": 1}
    assert Entry.objects.filter(action="vault.tamper_alarm").count() == 1


def test_removed_rows_are_missed_and_forged_ones_do_not_fit(system: System) -> None:
    refs, _ = changed_twice(system)
    with owner(system) as connection:
        connection.execute("DELETE FROM vault_index")
        connection.execute("DELETE FROM vault_record WHERE record_id = ANY(%s)", ([one.record_id for one in refs[2:]],))
        connection.execute("DELETE FROM vault_row_seal WHERE revision = 1")
        assert verify_rows(actor=SYSTEM).put_back == {"legacy_core/public.customers": 1}
        connection.execute("UPDATE vault_row_seal SET revision = revision + 1")
    report = verify_rows(actor=SYSTEM)
    assert report.put_back == {}  # the sum fits again, and for that price the seal does not
    assert len(report.altered) == 1


def test_no_job_seals_anew_what_was_put_back(system: System) -> None:
    refs, (records, _) = changed_twice(system)
    person = Record.objects.get(record_id=refs[0].record_id).person_ref
    assert person is not None
    with owner(system) as connection:
        put_back(connection, refs[0].record_id, records)
    more = item(1, "0571-87000000", person=person, element=Element.LANDLINE, column="tel", retention_class=IDENTITY)
    for batch in ([more], fields(1, person, phone="19990009999")):
        with pytest.raises(RowAlteredError):
            vault.seal_many(batch)
    report = rotation.reencrypt(IDENTITY, actor=SYSTEM)
    assert (report.changed, report.does_not_open, report.left, report.finished) == (2, 2, 2, False)
    assert rotation.merge_persons(person, uuid4(), actor=SYSTEM).does_not_open == 2
    with pytest.raises(RowAlteredError):
        clear(refs[:1])
    assert len(verify_rows(actor=SYSTEM).altered) == 1


def test_rows_stay_tied_through_rotation_merging_and_erasing(system: System) -> None:
    person, other = uuid4(), uuid4()
    refs = vault.seal_many([*fields(1, person), *fields(2, other)])
    rotation.reencrypt(IDENTITY, actor=SYSTEM, batch=1)
    rotation.merge_persons(person, other, actor=SYSTEM, batch=1)
    assert clear(refs) == [OLD, NAME, OLD, NAME]
    assert sorted(RowSeal.objects.values_list("revision", flat=True)) == [3, 5]
    note = item(
        2,
        "free",
        person=other,
        element=Element.FREE_TEXT,
        column="note",
        retention_class=RetentionClass.COLLECTION_RECORD,
    )
    (kept,) = vault.seal_many([note])
    keys.change_person_key(other, retention_class=IDENTITY, event=KeyEvent.SUSPEND, actor=SYSTEM)
    with transaction.atomic():
        erasing.destroy_records(keys.keyring(), other, IDENTITY)
    assert clear([kept]) == ["free"]
    assert verify_rows(actor=SYSTEM).sound


def test_a_row_of_an_earlier_release_opens_counts_as_unsealed_and_is_tied_by_the_next_write(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = uuid4()
    refs = sealed_by_an_earlier_release(monkeypatch, [*fields(1, person), *fields(2, person)])
    assert clear(refs) == [OLD, NAME, OLD, NAME]
    report = verify_rows(actor=SYSTEM)
    assert (report.rows, report.unsealed, report.sound) == (2, 2, True)
    vault.seal_many(fields(1, person, phone=NEW)[:1])
    assert verify_rows(actor=SYSTEM).unsealed == 1
    assert rotation.reencrypt(IDENTITY, actor=SYSTEM).finished
    report = verify_rows(actor=SYSTEM)
    assert (report.unsealed, report.sound) == (0, True)
    with owner(system) as connection:
        connection.execute("DELETE FROM vault_row_seal")
    with pytest.raises(RowAlteredError):
        clear(refs[:1])


def test_readers_never_see_a_row_and_its_seal_of_two_moments_and_two_writers_of_one_row_both_count(
    system: System,
) -> None:
    person = uuid4()
    refs = vault.seal_many(fields(1, person))
    failures: list[BaseException] = []
    stop = threading.Event()
    start = threading.Barrier(3)

    def run(deed: Callable[[], object]) -> threading.Thread:
        def work() -> None:
            start.wait()
            try:
                deed()
            except BaseException as failure:  # noqa: BLE001 - told to the test
                failures.append(failure)
            finally:
                connections.close_all()

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    def write(columns: range) -> None:
        for column in columns:
            vault.seal_many([item(7, OLD, person=person, column=f"c{column}", retention_class=IDENTITY)])
            vault.seal_many(fields(1, person, phone=f"1999000{column:04}")[:1])

    def read() -> None:
        while not stop.is_set():
            clear(refs)

    writers = [run(lambda: write(range(12))), run(lambda: write(range(12, 24)))]
    reader = run(read)
    for writer in writers:
        writer.join()
    stop.set()
    reader.join()
    assert failures == []
    assert verify_rows(actor=SYSTEM).sound
    assert dict(RowSeal.objects.values_list("source_key", "revision"))[(7).to_bytes(32, "big")] == 24


@pytest.mark.planted_defect("CQJR-5.5-c")
def test_the_control_sees_a_field_and_a_whole_row_put_back(system: System) -> None:
    context = ProbeContext(at=clock.now())
    refs, (records, seals) = changed_twice(system)
    assert identity_elements_are_sealed(context).outcome is Outcome.HOLDS
    with owner(system) as connection:
        put_back(connection, refs[0].record_id, records)
        field = identity_elements_are_sealed(context)
        for key, revision, generation, tag in seals:
            connection.execute(
                "UPDATE vault_row_seal SET revision = %s, key_generation = %s, tag = %s WHERE source_key = %s",
                (revision, generation, tag, key),
            )
    row = identity_elements_are_sealed(context)
    assert (field.outcome, field.observations[0].facts["rows_altered"]) == (Outcome.REFUTED, 1)
    assert (row.outcome, row.observations[0].facts["tables_put_back"]) == (Outcome.REFUTED, 1)
    assert row.observations[0].facts["rows_altered"] == 0


def test_the_control_is_not_green_over_rows_of_an_earlier_release(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed_by_an_earlier_release(monkeypatch, fields(1, uuid4()))
    seen = identity_elements_are_sealed(ProbeContext(at=clock.now()))
    assert (seen.outcome, seen.observations[0].facts["rows_unsealed"]) == (Outcome.INSUFFICIENT, 1)
