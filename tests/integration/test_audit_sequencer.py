"""Entries are numbered once and for good, whatever the order of commits; a checkpoint leaves the database at once."""

import threading

import pytest
from django.db import connection, transaction

from fixtures.audited import CLERK, TestSigner, write_log
from fixtures.installed import System
from kuimen.gate.audit import services as audit
from kuimen.gate.audit import verifier
from kuimen.gate.audit.errors import EntryNotFoundError, LogTamperedError, SinkUnavailableError
from kuimen.gate.audit.models import Checkpoint, Entry, SequencedEntry
from kuimen.kernels.merkle import InclusionBrokenError, verify_inclusion


@pytest.fixture(scope="module")
def signer() -> TestSigner:
    return TestSigner()


def test_every_entry_gets_one_number_from_zero(bare_system: System, signer: TestSigner) -> None:
    total = write_log(signer, [3, 1, 300, 7])
    assert list(SequencedEntry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(total))
    assert Checkpoint.objects.count() == 4
    assert audit.sequence_pending(signer) == 0


COPY_ENTRY = (
    "INSERT INTO audit_entry (entry_id, occurred_at, actor_kind, actor, action, outcome, purpose, object_type,"
    " object_ref, body, xid) SELECT gen_random_uuid(), now(), 'staff', 'S', 'test.copy', 'done', '', '', '', body, %s"
    " FROM audit_entry LIMIT 1"
)


def test_an_entry_of_a_running_transaction_waits_and_so_do_those_after_it(
    bare_system: System, signer: TestSigner
) -> None:
    write_log(signer, [2])
    slow = bare_system.connect(autocommit=False)
    slow.execute("SELECT pg_current_xact_id()")
    with transaction.atomic():
        audit.record("test.quick", actor=CLERK)
    assert audit.sequence_pending(signer) == 0
    slow.execute(COPY_ENTRY, ("5",))
    slow.commit()
    slow.close()
    assert audit.sequence_pending(signer) == 2
    order = list(SequencedEntry.objects.order_by("seq").values_list("entry__action", flat=True))
    assert order == ["test.deed", "test.deed", "test.copy", "test.quick"]


def test_nobody_chooses_an_entrys_transaction_number(bare_system: System, signer: TestSigner) -> None:
    write_log(signer, [1])
    with bare_system.connect() as session:
        session.execute(COPY_ENTRY, ("1",))
    assert audit.sequence_pending(signer) == 1


@pytest.mark.parametrize("number", [0, 1, 254, 255, 256, 257, 511, 512, 598])
def test_any_entry_is_proved_to_be_under_the_newest_checkpoint(
    bare_system: System, signer: TestSigner, number: int
) -> None:
    write_log(signer, [100, 156, 1, 300, 42])
    place = SequencedEntry.objects.select_related("entry").get(seq=number)
    proof = audit.inclusion(place.entry.entry_id)
    verify_inclusion(proof.leaf, index=proof.seq, size=proof.size, proof=proof.path, root=proof.root)
    assert verifier.PublicKey(proof.public_key).verify(proof.note, proof.signature)
    with pytest.raises(InclusionBrokenError):
        verify_inclusion(bytes(32), index=proof.seq, size=proof.size, proof=proof.path, root=proof.root)


def test_an_entry_without_a_checkpoint_has_no_proof(bare_system: System, signer: TestSigner) -> None:
    write_log(signer, [1])
    with transaction.atomic():
        waiting = audit.record("test.deed", actor=CLERK)
    with pytest.raises(EntryNotFoundError):
        audit.inclusion(waiting)
    assert audit.entry(waiting).seq is None


def test_two_sequencers_at_once_number_nothing_twice(bare_system: System, signer: TestSigner) -> None:
    with transaction.atomic():
        for _ in range(500):
            audit.record("test.deed", actor=CLERK)
    counts: list[int] = []

    def work() -> None:
        counts.append(audit.sequence_pending(signer))
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 500]
    assert Checkpoint.objects.count() == 1


def test_a_checkpoint_stands_outside_the_database_when_sequencing_returns(
    bare_system: System, signer: TestSigner
) -> None:
    write_log(signer, [5, 5])
    outside = list(audit.CheckpointSink(bare_system.home.checkpoints).notes())
    assert [note.size for note in outside] == [5, 10]
    assert [note.note for note in outside] == [bytes(c.note) for c in Checkpoint.objects.order_by("size")]


def test_a_checkpoint_whose_carrying_out_failed_follows_with_the_next(bare_system: System, signer: TestSigner) -> None:
    blocked = audit.CheckpointSink(bare_system.home.checkpoints / "absent")
    with transaction.atomic():
        audit.record("test.deed", actor=CLERK)
    with pytest.raises(SinkUnavailableError):
        audit.sequence_pending(signer, sink=blocked)
    assert Checkpoint.objects.count() == 1
    write_log(signer, [1])
    assert [note.size for note in audit.CheckpointSink(bare_system.home.checkpoints).notes()] == [1, 2]


def test_a_line_that_a_crash_cut_is_written_again(bare_system: System, signer: TestSigner) -> None:
    write_log(signer, [1, 1])
    (path,) = bare_system.home.checkpoints.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-40])
    write_log(signer, [1])
    assert [note.size for note in audit.CheckpointSink(bare_system.home.checkpoints).notes()] == [1, 2, 3]


def test_nothing_is_signed_on_top_of_a_log_that_was_cut_back(bare_system: System, signer: TestSigner) -> None:
    write_log(signer, [3, 3])
    with bare_system.connect("kuimen_owner") as owner:
        owner.execute("ALTER TABLE audit_checkpoint DISABLE TRIGGER USER")
        owner.execute("DELETE FROM audit_checkpoint WHERE size = 6")
    with transaction.atomic():
        audit.record("test.deed", actor=CLERK)
    with pytest.raises(LogTamperedError):
        audit.sequence_pending(signer)


def test_nothing_is_signed_on_a_frontier_that_was_replaced(bare_system: System, signer: TestSigner) -> None:
    write_log(signer, [3, 3])
    with bare_system.connect("kuimen_owner") as owner:
        owner.execute("ALTER TABLE audit_checkpoint DISABLE TRIGGER USER")
        owner.execute(
            "UPDATE audit_checkpoint SET frontier = (SELECT frontier FROM audit_checkpoint WHERE size = 3)"
            " WHERE size = 6"
        )
    with pytest.raises(LogTamperedError):
        audit.sequence_pending(signer)


def test_nothing_is_signed_on_a_checkpoint_that_the_application_role_forged(
    bare_system: System, signer: TestSigner
) -> None:
    """The role may insert checkpoints; without the key it cannot make one that the sequencer builds upon."""
    write_log(signer, [3])
    with bare_system.connect() as session:
        session.execute(
            "INSERT INTO audit_checkpoint (size, root, note, signature, key_id, frontier, created_at)"
            " SELECT 4, root, convert_to(replace(convert_from(note, 'UTF8'), E'\\n3\\n', E'\\n4\\n'), 'UTF8'),"
            " signature, key_id, frontier, created_at FROM audit_checkpoint"
        )
    with pytest.raises(LogTamperedError):
        audit.sequence_pending(signer)
    assert [note.size for note in audit.CheckpointSink(bare_system.home.checkpoints).notes()] == [3]


def test_the_thread_signs_within_a_second_and_ends_when_asked(bare_system: System, signer: TestSigner) -> None:
    thread = audit.SequencerThread(signer, pause_seconds=0.02)
    thread.start()
    with transaction.atomic():
        audit.record("test.deed", actor=CLERK)
    deadline = threading.Event()
    for _ in range(100):
        if Checkpoint.objects.exists():
            break
        deadline.wait(0.02)
    thread.end()
    assert Checkpoint.objects.get().size == 1
    assert not thread.is_alive()


def test_after_a_logical_restore_new_entries_are_sequenced_too(bare_system: System, signer: TestSigner) -> None:
    """A restored dump carries transaction numbers that lie in the new cluster's future."""
    write_log(signer, [3])
    with bare_system.connect("kuimen_owner") as owner:
        owner.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        owner.execute("UPDATE audit_entry SET xid = '4000000000'::xid8")
        owner.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    write_log(signer, [2])
    assert Checkpoint.objects.order_by("-size").first().size == 5  # type: ignore[union-attr]
    assert Entry.objects.filter(sequenced=None).count() == 0
