"""Controls of the audit room: they hold on a sound log and fail when the log is broken."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from fixtures.audited import CLERK, TestSigner, write_log
from fixtures.installed import System
from kuimen.foundation import clock
from kuimen.gate.audit import controls
from kuimen.gate.audit import services as audit
from kuimen.gate.audit.screening import REVIEW_INTERVAL, Risk, review, screen
from kuimen.standard import Outcome, Probe, ProbeContext

AUDITOR = audit.Actor(kind="staff", ref="S0201", label="审计员")


@pytest.fixture
def signer(bare_system: System) -> TestSigner:
    return TestSigner()


def outcome(probe: Probe) -> Outcome:
    return probe(ProbeContext(at=clock.now())).outcome


def disclose(count: int, *, action: str = "disclosure.reveal", result: str = "done", **facts: bool) -> None:
    with transaction.atomic():
        for number in range(count):
            audit.record(action, actor=CLERK, object_type="case", object_ref=f"C{number}", outcome=result, facts=facts)


@pytest.mark.clause("CQJR-6.5-a", "CQJR-5.4-f", "JRT0171-7.3-g", "JRT0171-7.3-h")
def test_a_sound_log_holds(signer: TestSigner) -> None:
    write_log(signer, (3, 1, 300))
    assert outcome(controls.log_takes_inserts_only) is Outcome.HOLDS
    result = controls.log_gives_its_signed_roots(ProbeContext(at=clock.now()))
    assert result.outcome is Outcome.HOLDS
    assert result.observations[0].facts["entries"] == 304
    assert result.observations[0].facts["checkpoints"] == 3


def test_an_empty_log_proves_nothing(bare_system: System) -> None:
    assert outcome(controls.log_gives_its_signed_roots) is Outcome.INSUFFICIENT
    assert outcome(controls.log_is_reviewed_on_schedule) is Outcome.INSUFFICIENT


@pytest.mark.planted_defect("CQJR-6.5-a", "JRT0171-7.3-h")
@pytest.mark.parametrize(
    "breakage",
    [
        "GRANT UPDATE ON audit_entry TO kuimen_app",
        "GRANT DELETE ON audit_checkpoint TO kuimen_app",
        "ALTER TABLE audit_sequenced DISABLE TRIGGER audit_sequenced_insert_only",
        "DROP TRIGGER audit_entry_insert_only ON audit_entry",
    ],
)
def test_a_log_that_could_be_changed_is_seen(bare_system: System, breakage: str) -> None:
    with bare_system.connect("kuimen_owner") as owner:
        owner.execute(breakage.encode())
    assert outcome(controls.log_takes_inserts_only) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-6.5-a", "CQJR-5.4-f", "JRT0171-7.3-g")
@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit_entry SET body = replace(convert_from(body, 'UTF8'), 'T2', 'T9')::bytea WHERE object_ref = 'T2'",
        "UPDATE audit_entry SET actor = 'S9999' WHERE object_ref = 'T2'",
        "UPDATE audit_entry SET occurred_at = occurred_at - interval '1 day' WHERE object_ref = 'T2'",
        "UPDATE audit_sequenced SET leaf = sha256(leaf) WHERE seq = 1",
        "DELETE FROM audit_sequenced WHERE seq = 4",
        "UPDATE audit_checkpoint SET root = sha256(root)",
        "UPDATE audit_checkpoint SET signature = sha256(signature)",
        "DELETE FROM audit_checkpoint",
    ],
)
def test_a_log_altered_by_its_owner_is_seen(signer: TestSigner, bare_system: System, attack: str) -> None:
    write_log(signer, (3, 2))
    with bare_system.connect("kuimen_owner") as owner:
        for table in ("audit_entry", "audit_sequenced", "audit_checkpoint"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        owner.execute(attack.encode())
    assert outcome(controls.log_gives_its_signed_roots) is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-7.3-g", "CQJR-6.5-a")
def test_entries_that_no_sequencer_takes_are_seen(signer: TestSigner, bare_system: System) -> None:
    write_log(signer, (2,))
    disclose(1)
    assert outcome(controls.log_gives_its_signed_roots) is Outcome.HOLDS
    bare_system.clock.advance(timedelta(minutes=11))
    assert outcome(controls.log_gives_its_signed_roots) is Outcome.REFUTED


@pytest.mark.clause("CQJR-5.4-f")
def test_a_review_is_first_missing_then_there(bare_system: System) -> None:
    disclose(1)
    assert outcome(controls.log_is_reviewed_on_schedule) is Outcome.INSUFFICIENT
    review(AUDITOR, since=clock.now() - timedelta(days=1), before=clock.now(), conclusion="未见异常")
    assert outcome(controls.log_is_reviewed_on_schedule) is Outcome.HOLDS


@pytest.mark.planted_defect("CQJR-5.4-f")
@pytest.mark.parametrize("reviewed_once", [False, True])
def test_a_review_that_is_overdue_is_seen(bare_system: System, *, reviewed_once: bool) -> None:
    disclose(1)
    if reviewed_once:
        review(AUDITOR, since=clock.now() - timedelta(days=1), before=clock.now(), conclusion="未见异常")
    bare_system.clock.advance(REVIEW_INTERVAL + timedelta(hours=1))
    assert outcome(controls.log_is_reviewed_on_schedule) is Outcome.REFUTED


def _at_night(system: System) -> None:
    system.clock.advance(timedelta(hours=13))


@pytest.mark.parametrize(
    ("plant", "risk"),
    [
        (lambda _: disclose(8), Risk.MANY_REVEALS),
        (lambda _: disclose(5, action="case.open", result="refused"), Risk.BURST_OF_REFUSALS),
        (lambda system: (_at_night(system), disclose(1)), Risk.NIGHT_REVEALS),
        (lambda _: disclose(3, action="disclosure.challenge", matched=False), Risk.GUESSING),
    ],
)
def test_high_risk_operations_are_found(bare_system: System, plant: Callable[[System], object], risk: Risk) -> None:
    plant(bare_system)
    at = clock.now()
    found = screen(at - timedelta(days=1), at + timedelta(seconds=1))
    assert [(finding.risk, finding.actor) for finding in found] == [(risk, CLERK.ref)]


def test_ordinary_work_is_no_finding(bare_system: System) -> None:
    disclose(7)
    disclose(4, action="case.open", result="refused")
    disclose(9, action="disclosure.challenge", matched=True)
    at = clock.now()
    assert screen(at - timedelta(days=1), at + timedelta(seconds=1)) == []
