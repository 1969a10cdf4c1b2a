"""From due to destroyed on real databases: two persons, every process, nothing left behind, and every refusal."""

import json
import subprocess
import sys
from uuid import uuid4

import pytest
from django.db import connections

from fixtures.erasing import CONSENT, IDENTITY, erase, listed, open_office
from fixtures.installed import CUSTODIANS, System
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.errors import DutySeparationError, NotPermittedError
from kuimen.gate.access.rules import Role
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.errors import TicketTransitionError
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.consent import services as consent
from kuimen.gate.keys import services as keys
from kuimen.gate.keys import shredding
from kuimen.gate.keys.errors import KeyDestroyedError
from kuimen.gate.keys.models import PersonKey
from kuimen.gate.retention import services as retention
from kuimen.gate.retention.errors import (
    ErasureTransitionError,
    NothingDueError,
    RetentionInputError,
    ShredLedgerAlteredError,
)
from kuimen.gate.retention.ledger import ShredSink
from kuimen.gate.retention.rules import ErasureState, EventKind, HoldKind, Verdict
from kuimen.gate.vault import erasing
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.errors import BoundRecordDiffersError
from kuimen.gate.vault.models import Index, Record
from kuimen.gate.vault.opening import open_records
from kuimen.kernels.elements.model import Element

SECOND_PROCESS = """
import json, sys
from pathlib import Path
from kuimen.entrypoints.installation.database import setup_django
from kuimen.entrypoints.installation.home import InstallationHome
home = InstallationHome.locate(Path(sys.argv[1]))
setup_django(home)
from uuid import UUID
from kuimen.foundation.errors import KuimenError
from kuimen.gate.keys import services as keys
from kuimen.gate.vault.opening import open_records
keys.unlock(home.root_key, json.loads(sys.stdin.readline()))
for line in sys.stdin:
    ids = [UUID(one) for one in json.loads(line)]
    try:
        print(len(open_records(ids, purpose="test")), flush=True)
    except KuimenError as refusal:
        print(refusal.code, flush=True)
"""


def test_the_whole_way_ends_keys_tags_and_sealed_bytes_and_spares_everybody_else(system: System) -> None:
    office = open_office()
    person = office.due
    found = vault.find_records(Element.MOBILE, Sensitive(person.identity.mobile, element="mobile"))
    assert len(found) == 1

    done = erase(office, person.ref)

    assert (done.state, done.records_destroyed, done.ledger_seq) == (ErasureState.DESTROYED, 4, 1)
    assert {done.destroyed_by, done.checked_by} == {office.people.maker.staff_no, office.people.checker.staff_no}
    assert set(PersonKey.objects.filter(person_ref=person.ref, retention_class=IDENTITY).values_list("wrapped")) == {
        (None,)
    }
    destroyed = Record.objects.filter(person_ref=person.ref, retention_class=IDENTITY.value)
    assert {bytes(row.sealed)[6:] for row in destroyed} == {bytes(28)}
    assert not Index.objects.filter(record__in=destroyed).exists()
    assert vault.find_records(Element.MOBILE, Sensitive(person.identity.mobile, element="mobile")) == []
    with pytest.raises(KeyDestroyedError):
        open_records(person.records, purpose="test")
    for survivor in office.survivors:
        assert len(open_records(survivor.records, purpose="test")) == len(survivor.records)
    (line,) = ShredSink(system.home.shreds).lines()
    assert line.body == shredding.lines_after(0)[0].body
    assert person.identity.mobile.encode() not in b"".join(path.read_bytes() for path in system.home.shreds.iterdir())


def test_another_process_with_a_warm_cache_stops_at_once(system: System) -> None:
    office = open_office(survivors=1)
    records = json.dumps([str(one) for one in office.due.records]) + "\n"
    with subprocess.Popen(
        [sys.executable, "-c", SECOND_PROCESS, str(system.home.root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", env=system.environment(),
    ) as other:  # fmt: skip
        assert other.stdin is not None
        assert other.stdout is not None

        def ask() -> str:
            assert other.stdin is not None
            assert other.stdout is not None
            other.stdin.write(records)
            other.stdin.flush()
            return other.stdout.readline().strip()

        other.stdin.write(json.dumps(CUSTODIANS) + "\n")
        assert ask() == "5"
        erasure = retention.suspend(listed(office.due.ref).erasure_id, officer=office.people.maker)
        assert ask() == KeyDestroyedError.code
        retention.resume(erasure.erasure_id, officer=office.people.maker)
        assert ask() == "5"
        erase(office, office.due.ref)
        assert ask() == KeyDestroyedError.code
        other.stdin.close()


def test_a_suspension_hides_and_comes_back_unchanged(system: System) -> None:
    office = open_office(survivors=0)
    erasure = listed(office.due.ref)
    before = vault.records_of(office.due.ref)

    retention.suspend(erasure.erasure_id, officer=office.people.maker)
    assert {one.element for one in vault.records_of(office.due.ref)} == {Element.IMEI}
    with pytest.raises(BoundRecordDiffersError):
        vault.seal_many([_again(office.due.identity.mobile)])
    retention.resume(erasure.erasure_id, officer=office.people.maker)

    assert vault.records_of(office.due.ref) == before
    assert len(open_records(office.due.records, purpose="test")) == 5


def _again(value: str) -> vault.SealItem:
    return vault.SealItem(
        element=Element.MOBILE, value=Sensitive(value, element="mobile"), source_id="test_lender",
        source_table="core.t_cust_info", source_column="mobile", source_key=(1).to_bytes(32, "big"), person_ref=uuid4(),
    )  # fmt: skip


@pytest.mark.clause("CQJR-5.2-e")
def test_what_was_erased_does_not_come_back_with_the_next_import(system: System) -> None:
    office = open_office(survivors=0)
    erase(office, office.due.ref)
    with pytest.raises(BoundRecordDiffersError):
        vault.seal_many([_again(office.due.identity.mobile)])


@pytest.mark.clause("JRT0171-6.1.6-c")
def test_one_person_alone_destroys_nothing(system: System) -> None:
    office = open_office(survivors=0)
    maker = office.people.maker
    erasure = listed(office.due.ref)

    with pytest.raises(ErasureTransitionError):
        retention.request_destruction(erasure.erasure_id, maker=maker, reason="期满")
    retention.suspend(erasure.erasure_id, officer=maker)
    with pytest.raises(ErasureTransitionError):
        retention.destroy(erasure.erasure_id, maker=maker)
    ticket = retention.request_destruction(erasure.erasure_id, maker=maker, reason="期满")
    with pytest.raises(DutySeparationError):
        approvals.approve(ticket.ticket_id, checker=maker)
    with pytest.raises(TicketTransitionError):
        retention.destroy(erasure.erasure_id, maker=maker)
    clerk = office.people.hire("E0001", Role.ENGINEER)
    with pytest.raises(NotPermittedError):
        retention.destroy(erasure.erasure_id, maker=clerk)

    assert erasing.held_of(office.due.ref, IDENTITY).destroyed == 0
    assert ShredSink(system.home.shreds).last() is None
    refused = Entry.objects.filter(outcome="refused").values_list("action", flat=True)
    assert {"retention.request", "retention.destroy", "approval.decide", "approval.redeem"} <= set(refused)


@pytest.mark.clause("CQJR-6.5-c")
def test_a_hold_placed_after_the_approval_still_stops_the_destruction(system: System) -> None:
    office = open_office(survivors=0)
    maker, checker = office.people.maker, office.people.checker
    erasure = retention.suspend(listed(office.due.ref).erasure_id, officer=maker)
    ticket = retention.request_destruction(erasure.erasure_id, maker=maker, reason="期满")
    approvals.approve(ticket.ticket_id, checker=checker)
    hold = retention.place_hold(office.due.ref, kind=HoldKind.AML, evidence="AML-2026-7", officer=checker)

    with pytest.raises(NothingDueError):
        retention.destroy(erasure.erasure_id, maker=maker)
    assert [one.verdict for one in retention.decisions_of(office.due.ref)] == [Verdict.DUE, Verdict.BLOCKED]
    with pytest.raises(RetentionInputError):
        retention.lift_hold(hold, officer=checker)
    retention.lift_hold(hold, officer=maker)
    assert retention.destroy(erasure.erasure_id, maker=maker).state is ErasureState.DESTROYED


def test_a_new_relationship_lets_a_listed_erasure_lapse(system: System) -> None:
    office = open_office(survivors=0)
    erasure = listed(office.due.ref)
    retention.record_event(
        office.due.ref, kind=EventKind.RELATIONSHIP, ended_on=None, evidence="contract T-2", officer=office.people.maker
    )
    with pytest.raises(NothingDueError):
        retention.suspend(erasure.erasure_id, officer=office.people.maker)
    assert retention.check_due().lapsed == 2
    assert retention.due_list() == []


@pytest.mark.clause("JRT0171-6.1.5-b")
def test_a_withdrawn_consent_makes_its_class_due_the_same_day(system: System) -> None:
    office = open_office(survivors=1)
    (survivor,) = office.survivors
    officer, author = office.people.maker, office.people.checker.staff_no
    document = consent.publish_document(
        "device", title="设备信息同意书", body="同意……", officer=officer, drafted_by=author
    )
    act = consent.record_act(
        survivor.ref,
        consent.CustomerAct(
            document=document.code, shown_sm3=document.sm3, purpose="risk", kind="tick", initially_selected=False,
            shown_at=system.clock.now(), channel="app",
        ),
        actor=SYSTEM,
    )  # fmt: skip
    retention.check_due()
    assert {one.person_ref for one in retention.due_list()} == {office.due.ref}

    consent.withdraw(act, channel="app", actor=SYSTEM)

    due = listed(survivor.ref, CONSENT)
    assert (due.due_on, due.clause) == (system.clock.now().date(), "JRT0171-6.1.5-b")
    assert [one.verdict for one in retention.decisions_of(survivor.ref)] == [Verdict.DUE, Verdict.NOT_DUE]


def test_a_crash_between_line_and_deed_is_completed_at_the_next_unlock(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = open_office(survivors=0)
    maker = office.people.maker
    erasure = retention.suspend(listed(office.due.ref).erasure_id, officer=maker)
    ticket = retention.request_destruction(erasure.erasure_id, maker=maker, reason="期满")
    approvals.approve(ticket.ticket_id, checker=office.people.checker)
    append = ShredSink.append

    def append_and_die(
        self: ShredSink, lines: list[shredding.ShredLine], *, follows: shredding.ShredLine | None
    ) -> None:
        append(self, lines, follows=follows)
        raise KeyboardInterrupt

    monkeypatch.setattr(ShredSink, "append", append_and_die)
    with pytest.raises(KeyboardInterrupt):
        retention.destroy(erasure.erasure_id, maker=maker)
    monkeypatch.setattr(ShredSink, "append", append)
    assert shredding.last_line() is None
    assert retention.find(erasure.erasure_id).state is ErasureState.SUSPENDED

    keys.lock()
    keys.unlock(system.home.root_key, CUSTODIANS)

    assert retention.find(erasure.erasure_id).state is ErasureState.DESTROYED
    assert erasing.held_of(office.due.ref, IDENTITY).standing == 0
    assert Entry.objects.filter(action="retention.replay_line").count() == 1


@pytest.mark.parametrize("change", ["cut", "edit", "forge"])
def test_an_altered_ledger_outside_keeps_the_keys_locked(system: System, change: str) -> None:
    office = open_office(survivors=0)
    erase(office, office.due.ref)
    erase(office, office.due.ref, CONSENT)
    (path,) = system.home.shreds.glob("*.jsonl")
    first, second = path.read_bytes().splitlines(keepends=True)
    with connections["keys"].cursor():
        pass
    with system.connect("kuimen_admin", keys=True) as session:  # what an old backup of the key database leaves
        session.execute("DELETE FROM keys_shred")
    altered = {
        "cut": second,
        "edit": first.replace(b'\\"seq\\":1', b'\\"seq\\":2') + second,
        "forge": first.replace(IDENTITY.value.encode(), CONSENT.value.encode()) + second,
    }[change]
    path.write_bytes(altered)

    keys.lock()
    with pytest.raises(ShredLedgerAlteredError):
        keys.unlock(system.home.root_key, CUSTODIANS)
    assert not keys.is_unlocked()
    assert Entry.objects.filter(action="retention.replay", outcome="failed").exists()
    path.write_bytes(first + second)
    keys.unlock(system.home.root_key, CUSTODIANS)
    assert len(shredding.lines_after(0)) == 2


def test_a_lost_ledger_outside_is_written_again_from_the_key_database(system: System) -> None:
    office = open_office(survivors=0)
    erase(office, office.due.ref)
    (path,) = system.home.shreds.glob("*.jsonl")
    before = path.read_bytes()
    path.unlink()

    assert retention.catch_up(keys.keyring(), actor=SYSTEM).outside_lacked == 1
    assert path.read_bytes() == before
    assert retention.verify_whole() == 1
    assert retention.catch_up(keys.keyring()).did_nothing
