"""One value at a time: reasoned, counted, timed, recorded, or refused."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest

from fixtures.disclosing import COLLECTOR, LEADER, REASON, World, challenge, page, refusals, reveal
from fixtures.installed import System
from kuimen.foundation.errors import DeniedError, KuimenError, rule_for
from kuimen.foundation.sensitive import FIXED_MASK
from kuimen.gate.access.rules import Subject
from kuimen.gate.audit.errors import AuditUnavailableError
from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.errors import (
    DisclosureFailedError,
    DisclosureInputError,
    IdempotencyConflictError,
    NeverShownError,
    NoLegalBasisError,
    ObjectNotFoundError,
    PolicyRefusedError,
    ReasonMissingError,
    RevealExpiredError,
    RevealQuotaError,
    ValueNotHeldError,
)
from kuimen.gate.disclosure.models import ChallengeDay, DailyUse, Disclosure, Lookup, RevealRequest
from kuimen.gate.disclosure.services import Reason, ReasonCode
from kuimen.gate.vault.errors import SealedValueTamperedError
from kuimen.kernels.elements import Element


@pytest.fixture
def world(system: System) -> World:
    return World(system)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"purpose": "marketing"}, PolicyRefusedError),
        ({"purpose": "no_such_purpose"}, DisclosureInputError),
        ({"subject": LEADER}, PolicyRefusedError),
        ({"element": "no_such_element"}, DisclosureInputError),
        ({"element": Element.PASSWORD}, NeverShownError),
        ({"element": Element.EMAIL}, ValueNotHeldError),
        ({"object_ref": "13812345678"}, DisclosureInputError),
        ({"idempotency_key": "short"}, DisclosureInputError),
        ({"reason": Reason(code=ReasonCode.VERIFY_IDENTITY, text="")}, ReasonMissingError),
        ({"reason": Reason(code=ReasonCode.VERIFY_IDENTITY, text="客户电话 199 9000 1234")}, ReasonMissingError),
        ({"reason": Reason(code="curiosity", text="就是想看一看")}, ReasonMissingError),  # type: ignore[arg-type]
    ],
)
def test_a_refused_reveal_is_recorded_counts_nothing_and_says_no_value(
    world: World, changes: dict[str, object], error: type[KuimenError]
) -> None:
    (ref,) = world.customers(1)
    asked = dict(changes)
    key = str(asked.pop("idempotency_key", "key-for-this"))
    with pytest.raises(error) as caught:
        reveal(world, ref, key, **asked)
    (entry,) = refusals()
    assert entry.action == "disclosure.reveal"
    assert error.code in bytes(entry.body).decode()
    for text in (str(caught.value), bytes(entry.body).decode()):
        assert world.mobile(ref) not in text
        assert "13812345678" not in text
        assert "1234" not in text.replace(str(ref), "").replace(str(entry.entry_id), "")
    assert Disclosure.objects.count() == 0
    assert not DailyUse.objects.filter(reveals__gt=0).exists()


def test_without_a_live_legal_basis_nothing_is_revealed(world: World) -> None:
    (ref,) = world.customers(1, basis=False)
    with pytest.raises(NoLegalBasisError):
        reveal(world, ref)
    with pytest.raises(NoLegalBasisError):
        challenge(world, ref, "1234")


# Reveals


@pytest.mark.clause("CQJR-5.4-d")
@pytest.mark.clause("JRT0171-6.1.4.1-b")
def test_a_reveal_gives_one_value_for_a_minute_with_reason_basis_and_record(world: World) -> None:
    (ref,) = world.customers(1)
    given = reveal(world, ref)
    assert given.value.reveal_for("test") == world.mobile(ref)
    assert str(given.value) == FIXED_MASK
    assert given.expires_at == world.clock.now() + timedelta(seconds=60)
    assert given.remaining_today == 9
    row = Disclosure.objects.get(view_id=given.view_id)
    assert (row.kind, row.customer_ref, row.elements, row.reason_code) == ("reveal", ref, ["mobile"], "verify_identity")
    assert row.basis_id is not None
    assert row.entry.view_id == given.view_id
    assert REASON.text.encode() not in bytes(row.sealed or b"")
    assert REASON.text not in bytes(row.entry.body).decode()
    assert world.mobile(ref) not in bytes(row.entry.body).decode()


@pytest.mark.clause("CQJR-5.4-d")
def test_the_eleventh_reveal_of_a_day_is_refused_with_429_and_alerts_the_supervisor(world: World) -> None:
    (ref,) = world.customers(1)
    for number in range(10):
        assert reveal(world, ref, f"key-number-{number}").remaining_today == 9 - number
    with pytest.raises(RevealQuotaError) as caught:
        reveal(world, ref, "key-number-10")
    assert rule_for(caught.value).http_status == 429
    assert caught.value.retry_after_seconds == 14 * 3600
    (alert,) = Entry.objects.filter(action="disclosure.alert")
    assert b"reveal_quota" in bytes(alert.body)
    assert Disclosure.objects.filter(kind="reveal").count() == 10
    world.clock.advance(timedelta(hours=14))
    assert reveal(world, ref, "key-of-tomorrow").remaining_today == 9


def test_the_same_reveal_request_twice_is_one_disclosure_and_no_body_is_stored(world: World) -> None:
    (ref,) = world.customers(1)
    first = reveal(world, ref)
    world.clock.advance(timedelta(seconds=59))
    again = reveal(world, ref)
    assert again.repeated
    assert (again.view_id, again.expires_at) == (first.view_id, first.expires_at)
    assert again.value.reveal_for("test") == world.mobile(ref)
    assert again.remaining_today == 9
    assert Disclosure.objects.count() == 1
    assert DailyUse.objects.get().reveals == 1
    assert Entry.objects.filter(action="disclosure.reveal_repeated", view_id=first.view_id).count() == 1
    stored = RevealRequest.objects.get()
    assert {len(bytes(stored.key_sm3)), len(bytes(stored.digest))} == {32}


def test_the_same_key_after_the_view_is_over_opens_nothing(world: World) -> None:
    (ref,) = world.customers(1)
    reveal(world, ref)
    world.clock.advance(timedelta(seconds=60))
    with pytest.raises(RevealExpiredError):
        reveal(world, ref)


@pytest.mark.parametrize(
    "changes",
    [
        {"element": Element.RESIDENT_ID},
        {"reason": Reason(code=ReasonCode.LEGAL_ACTION, text=REASON.text)},
        {"reason": Reason(code=REASON.code, text="另一个完全不同的理由")},
    ],
)
def test_the_same_key_with_another_body_is_a_conflict(world: World, changes: dict[str, object]) -> None:
    (ref,) = world.customers(1)
    reveal(world, ref)
    with pytest.raises(IdempotencyConflictError):
        reveal(world, ref, **changes)
    assert Disclosure.objects.count() == 1


def test_a_key_belongs_to_the_person_who_used_it(world: World) -> None:
    (ref,) = world.customers(1)
    other = Subject(staff_no="S0009", display_name="催收丙", roles=COLLECTOR.roles, mfa=True)
    assert reveal(world, ref).view_id != reveal(world, ref, subject=other).view_id


def test_a_repeated_request_is_decided_anew(world: World) -> None:
    (ref,) = world.customers(1)
    reveal(world, ref)
    world.remove_object("CASE-1")
    with pytest.raises(ObjectNotFoundError):
        reveal(world, ref)


def test_the_same_request_from_two_threads_at_once_counts_once(world: World) -> None:
    (ref,) = world.customers(1)
    views: list[UUID] = []
    start = threading.Barrier(4)

    def ask() -> None:
        from django.db import connections

        start.wait()
        try:
            views.append(reveal(world, ref).view_id)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(views) == 4
    assert len(set(views)) == 1
    assert DailyUse.objects.get().reveals == 1


def test_two_different_requests_at_once_never_pass_the_quota_together(world: World) -> None:
    (ref,) = world.customers(1)
    for number in range(9):
        reveal(world, ref, f"key-number-{number}")
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def ask(number: int) -> None:
        from django.db import connections

        start.wait()
        try:
            reveal(world, ref, f"parallel-key-{number}")
            outcomes.append("shown")
        except DeniedError as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["disclosure.reveal_quota"] * 3 + ["shown"]


# The record


def test_when_the_audit_entry_cannot_be_written_nothing_is_disclosed(world: World) -> None:
    (ref,) = world.customers(1)
    with world.owner() as connection:
        connection.execute("REVOKE INSERT ON audit_entry FROM kuimen_app")
    for ask in (lambda: reveal(world, ref), lambda: page(world, [ref]), lambda: challenge(world, ref, "1234")):
        with pytest.raises(AuditUnavailableError):
            ask()
    with pytest.raises(AuditUnavailableError):
        disclosure.bulk_for_system("protection", world.records(ref), procedure="protection.prove")
    with world.owner() as connection:
        connection.execute("GRANT INSERT ON audit_entry TO kuimen_app")
    assert Disclosure.objects.count() == 0
    assert DailyUse.objects.count() == 0
    assert Lookup.objects.count() == 0
    assert ChallengeDay.objects.count() == 0
    assert reveal(world, ref).remaining_today == 9


def test_when_the_view_cannot_be_written_nothing_is_disclosed_and_no_driver_text_leaves(world: World) -> None:
    (ref,) = world.customers(1)
    with world.owner() as connection:
        connection.execute(
            "CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN RAISE unique_violation USING MESSAGE = 'Key (phone)=({world.mobile(ref)}) exists'; END $$"
        )
        connection.execute("CREATE TRIGGER shout BEFORE INSERT ON disclosure_record EXECUTE FUNCTION shout()")
    with pytest.raises(DisclosureFailedError) as caught:
        reveal(world, ref)
    assert world.mobile(ref) not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert not Entry.objects.filter(action="disclosure.reveal").exists()


def test_a_disclosure_inside_another_transaction_is_refused_because_its_record_could_be_undone(world: World) -> None:
    from django.db import transaction

    (ref,) = world.customers(1)
    with pytest.raises(RuntimeError), transaction.atomic():
        reveal(world, ref)


def test_a_tampered_value_shows_nothing_and_raises_the_alarm_that_survives(world: World) -> None:
    one, two = world.customers(2)
    with world.owner() as connection:
        connection.execute(
            "UPDATE vault_record SET sealed ="
            " (SELECT sealed FROM vault_record WHERE person_ref = %s AND element = 'mobile')"
            " WHERE person_ref = %s AND element = 'mobile'",
            (two, one),
        )
    for ask in (lambda: page(world, [one, two]), lambda: reveal(world, one)):
        with pytest.raises(SealedValueTamperedError):
            ask()
    assert Entry.objects.filter(action="vault.tamper_alarm", outcome="failed").count() == 2
    assert Entry.objects.filter(action="disclosure.reveal", outcome="failed").count() == 1
    assert Disclosure.objects.count() == 0
    assert reveal(world, two).value.reveal_for("test") == world.mobile(two)
