"""The only door on real databases: default masked, capped, reasoned, recorded, or shut."""

import threading
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from fixtures.disclosing import COLLECTOR, LEADER, World
from fixtures.installed import System
from fixtures.people import appoint_officers
from kuimen.foundation.errors import DeniedError, KuimenError, rule_for
from kuimen.foundation.sensitive import FIXED_MASK, Sensitive
from kuimen.gate.access.rules import Role, Subject
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.errors import TicketMismatchError, TicketTransitionError
from kuimen.gate.audit.errors import AuditUnavailableError
from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.errors import (
    ChallengeLockedError,
    DisclosureFailedError,
    DisclosureInputError,
    IdempotencyConflictError,
    NeverShownError,
    NoLegalBasisError,
    ObjectNotFoundError,
    PageTooLargeError,
    PeopleQuotaError,
    PolicyRefusedError,
    ProcedureRefusedError,
    ReasonMissingError,
    RevealExpiredError,
    RevealQuotaError,
    ValueNotHeldError,
    ViewNotFoundError,
)
from kuimen.gate.disclosure.models import ChallengeDay, DailyUse, Disclosure, Lookup, RevealRequest
from kuimen.gate.disclosure.services import Reason, ReasonCode, Revealed
from kuimen.gate.vault.errors import SealedValueTamperedError
from kuimen.kernels.elements import Element

REASON = Reason(code=ReasonCode.VERIFY_IDENTITY, text="客户来电核实本人身份")


@pytest.fixture
def world(system: System) -> World:
    return World(system)


def reveal(world: World, ref: UUID, key: str = "first-key", **changes: object) -> Revealed:
    asked: dict[str, object] = {
        "purpose": "collection",
        "object_type": world.object_type,
        "object_ref": "CASE-1",
        "customer_ref": ref,
        "element": Element.MOBILE,
        "reason": REASON,
        "idempotency_key": key,
    }
    subject = changes.pop("subject", COLLECTOR)
    return disclosure.reveal(subject, **(asked | changes))  # type: ignore[arg-type]


def page(world: World, rows: Sequence[UUID], **changes: object) -> disclosure.MaskedPage:
    asked: dict[str, object] = {
        "purpose": "collection",
        "object_type": world.object_type,
        "object_ref": "CASE-1",
        "rows": rows,
        "elements": [Element.PERSON_NAME, Element.MOBILE, Element.RESIDENT_ID],
    }
    subject = changes.pop("subject", COLLECTOR)
    return disclosure.masked_page(subject, **(asked | changes))  # type: ignore[arg-type]


def challenge(world: World, ref: UUID, answer: str, **changes: object) -> disclosure.ChallengeResult:
    asked: dict[str, object] = {
        "purpose": "collection",
        "object_type": world.object_type,
        "object_ref": "CASE-1",
        "customer_ref": ref,
        "element": Element.RESIDENT_ID,
        "answer": Sensitive(answer, element="resident_id"),
    }
    return disclosure.challenge(COLLECTOR, **(asked | changes))  # type: ignore[arg-type]


def refusals() -> list[Entry]:
    return list(Entry.objects.filter(outcome="refused").exclude(action="disclosure.alert").order_by("id"))


# Pages


@pytest.mark.clause("CQJR-5.4-d")
@pytest.mark.clause("CQJR-5.2-h")
def test_a_page_shows_masks_and_a_watermark_that_resolves_to_its_audit_entry(world: World) -> None:
    one, two = world.customers(2)
    shown = page(world, [one, two])
    assert shown.values[one] == {
        Element.PERSON_NAME: "*" * (len(world.name(one)) - 1) + world.name(one)[-1],
        Element.MOBILE: world.mobile(one)[:3] + "****" + world.mobile(one)[-4:],
        Element.RESIDENT_ID: world.resident_id(one)[0] + "*" * 16 + world.resident_id(one)[-1],
    }
    trace = disclosure.resolve_view(shown.view_id)
    entry = Entry.objects.get(entry_id=trace.entry_id)
    assert entry.view_id == shown.view_id
    assert (entry.actor, entry.purpose, entry.object_ref) == (COLLECTOR.staff_no, "collection", "CASE-1")
    assert str(one) in bytes(entry.body).decode()
    assert COLLECTOR.display_name in shown.watermark.text
    assert COLLECTOR.staff_no in shown.watermark.text
    assert str(shown.view_id)[:8] in shown.watermark.text
    assert shown.watermark.at == world.clock.now()


def test_what_is_never_shown_is_the_fixed_mask_and_is_not_even_opened(world: World) -> None:
    (ref,) = world.customers(1)
    world.seal(ref, Element.PASSWORD, "a password hash")
    with world.owner() as connection:
        connection.execute(
            "UPDATE vault_record SET sealed = (SELECT sealed FROM vault_record WHERE element = 'mobile')"
            " WHERE element = 'password'"
        )
    shown = page(world, [ref], elements=[Element.PASSWORD, Element.EMAIL])
    assert shown.values[ref] == {Element.PASSWORD: FIXED_MASK}
    assert not Entry.objects.filter(action="vault.tamper_alarm").exists()


def test_customers_without_a_live_basis_are_withheld_and_not_counted(world: World) -> None:
    (with_basis,) = world.customers(1)
    (without,) = world.customers(1, basis=False)
    shown = page(world, [with_basis, without])
    assert shown.withheld == {without}
    assert set(shown.values[without].values()) == {FIXED_MASK}
    assert Lookup.objects.values_list("customer_ref", flat=True).get() == with_basis


def test_a_page_of_more_than_a_hundred_rows_is_refused(world: World) -> None:
    customers = world.customers(101, elements=())
    with pytest.raises(PageTooLargeError):
        page(world, customers)
    assert len(page(world, customers[:100]).values) == 100
    assert [b"disclosure.page_too_large" in bytes(entry.body) for entry in refusals()] == [True]


@pytest.mark.clause("JRT0171-6.1.4.1-b")
def test_the_hundred_and_first_person_of_a_day_is_refused_until_midnight_in_shanghai(world: World) -> None:
    customers = world.customers(101, elements=())
    page(world, customers[:99])
    page(world, customers[:50])
    page(world, customers[99:100])
    with pytest.raises(PeopleQuotaError) as caught:
        page(world, customers[100:])
    assert caught.value.retry_after_seconds == 14 * 3600
    assert rule_for(caught.value).http_status == 429
    assert page(world, customers[:10]).values
    assert page(world, customers[100:], subject=LEADER).values
    assert page(world, customers[100:], elements=[Element.SEX]).values
    world.clock.advance(timedelta(hours=14))
    assert page(world, customers[100:]).values


def test_a_page_costs_the_same_number_of_queries_for_two_rows_as_for_fifty(world: World) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    customers = world.customers(50)
    page(world, customers)
    counts = []
    for rows in (customers[:2], customers):
        with CaptureQueriesContext(connection) as captured:
            page(world, rows)
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert counts[1] < 30


# The object, policy and legal basis


@pytest.mark.parametrize(
    "changes",
    [
        {"object_type": "unknown_type"},
        {"object_ref": "CASE-404"},
        {"subject": Subject(staff_no="S9", display_name="委外乙", roles=COLLECTOR.roles, agency_id="OTHER", mfa=True)},
    ],
    ids=["unknown type", "unknown object", "foreign agency"],
)
def test_an_object_that_is_not_yours_does_not_exist(world: World, changes: dict[str, object]) -> None:
    (ref,) = world.customers(1)
    with pytest.raises(ObjectNotFoundError):
        page(world, [ref], **changes)
    with pytest.raises(ObjectNotFoundError):
        reveal(world, ref, **changes)
    assert len(refusals()) == 2
    assert Disclosure.objects.count() == 0


def test_a_customer_who_has_nothing_to_do_with_the_object_is_not_disclosed(world: World) -> None:
    (mine,) = world.customers(1)
    (other,) = world.customers(1, object_ref="CASE-2")
    with pytest.raises(ObjectNotFoundError):
        page(world, [mine, other])
    with pytest.raises(ObjectNotFoundError):
        reveal(world, other)
    with pytest.raises(ObjectNotFoundError):
        challenge(world, other, "1234")


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


# Challenges


@pytest.mark.clause("CQJR-5.4-d")
def test_a_challenge_tells_right_or_wrong_and_three_wrong_answers_end_the_day(world: World) -> None:
    (ref,) = world.customers(1)
    right = world.resident_id(ref)[-4:]
    assert challenge(world, ref, right.lower()).matched
    for remaining in (2, 1, 0):
        result = challenge(world, ref, "0000")
        assert (result.matched, result.remaining_attempts) == (False, remaining)
    with pytest.raises(ChallengeLockedError) as caught:
        challenge(world, ref, right)
    assert rule_for(caught.value).http_status == 429
    assert Entry.objects.filter(action="disclosure.alert").count() == 1
    for entry in Entry.objects.all():
        assert f'"{right}"' not in bytes(entry.body).decode()
        assert '"0000"' not in bytes(entry.body).decode()
    world.clock.advance(timedelta(days=1))
    assert challenge(world, ref, right).matched


def test_wrong_answers_count_for_the_customer_whoever_asks(world: World) -> None:
    (ref,) = world.customers(1)
    other = Subject(staff_no="S0009", display_name="催收丙", roles=COLLECTOR.roles, mfa=True)
    asked = {
        "purpose": "collection",
        "object_type": world.object_type,
        "object_ref": "CASE-1",
        "customer_ref": ref,
        "element": Element.MOBILE,
        "answer": Sensitive("7777", element="mobile"),
    }
    assert disclosure.challenge(other, **asked).remaining_attempts == 2  # type: ignore[arg-type]
    assert challenge(world, ref, "0000").remaining_attempts == 1


@pytest.mark.parametrize("answer", ["", "123", "12345", "一二", "    "])
def test_an_answer_that_is_none_does_not_count(world: World, answer: str) -> None:
    (ref,) = world.customers(1)
    with pytest.raises(DisclosureInputError):
        challenge(world, ref, answer)
    assert challenge(world, ref, "0000").remaining_attempts == 2


@pytest.mark.parametrize("element", [Element.PASSWORD, Element.SEX, Element.ADDRESS])
def test_customers_are_asked_only_for_listed_elements(world: World, element: Element) -> None:
    (ref,) = world.customers(1)
    with pytest.raises(DisclosureInputError):
        challenge(world, ref, "1234", element=element)


def test_a_full_name_is_compared_whole(world: World) -> None:
    (ref,) = world.customers(1)
    name = world.name(ref)
    assert challenge(world, ref, f" {name} ", element=Element.PERSON_NAME).matched
    assert not challenge(world, ref, name[:-1] or "一", element=Element.PERSON_NAME).matched


# Bulk, statistics, limits


def test_a_registered_procedure_opens_records_under_one_entry_with_the_count(world: World) -> None:
    customers = world.customers(3)
    ids = [record for ref in customers for record in world.records(ref)]
    opened = disclosure.bulk_for_system("protection", ids, procedure="protection.prove")
    (entry,) = Entry.objects.filter(action="disclosure.bulk")
    assert f'"records":{len(ids)}' in bytes(entry.body).decode()
    values = list(opened)
    assert [record for record, _ in values] == ids
    assert {value.reveal_for("test") for _, value in values} >= {world.mobile(ref) for ref in customers}


def test_an_unregistered_procedure_opens_nothing_and_is_recorded(world: World) -> None:
    (ref,) = world.customers(1)
    with pytest.raises(ProcedureRefusedError):
        disclosure.bulk_for_system("protection", world.records(ref), procedure="curiosity")
    assert [entry.action for entry in refusals()] == ["disclosure.bulk"]


def test_statistics_count_views_per_day_purpose_and_kind(world: World) -> None:
    one, two = world.customers(2)
    page(world, [one, two])
    page(world, [one])
    reveal(world, one)
    world.clock.advance(timedelta(days=1))
    challenge(world, one, "0000")
    counts = {(row.day, row.purpose, row.kind.value): (row.disclosures, row.rows) for row in disclosure.statistics()}
    assert counts == {
        (date(2026, 11, 20), "collection", "page"): (2, 3),
        (date(2026, 11, 20), "collection", "reveal"): (1, 1),
        (date(2026, 11, 21), "collection", "challenge"): (1, 1),
    }
    assert disclosure.statistics(until=date(2026, 11, 19)) == []


def test_a_view_that_never_was_does_not_resolve(world: World) -> None:
    with pytest.raises(ViewNotFoundError):
        disclosure.resolve_view(uuid4())


@pytest.mark.parametrize(
    ("name", "value"), [("reveals_per_day", 0), ("reveals_per_day", 51), ("rows_per_view", 101), ("no_such", 1)]
)
def test_no_ticket_can_be_asked_for_a_limit_beyond_the_standards(name: str, value: int) -> None:
    with pytest.raises(DisclosureInputError):
        disclosure.limit_request(name, value)


def test_the_database_refuses_a_reveal_row_without_reason_or_audit_entry(world: World) -> None:
    (ref,) = world.customers(1)
    view = reveal(world, ref).view_id
    with world.owner() as connection:
        for statement in (
            "UPDATE disclosure_record SET reason_code = ''",
            "UPDATE disclosure_record SET sealed = NULL",
            "UPDATE disclosure_record SET entry_id = gen_random_uuid()",
        ):
            with pytest.raises(psycopg.errors.IntegrityError):
                connection.execute(statement)
    assert Disclosure.objects.get().view_id == view


def test_a_limit_is_set_by_two_people_and_holds_at_once(world: World) -> None:
    people = appoint_officers()
    leader = people.hire("L0001", Role.TEAM_LEADER)
    content = disclosure.limit_request("reveals_per_day", 1)
    ticket = approvals.request("disclosure.set_limit", content, maker=leader, reason="本月收紧明文查看")
    with pytest.raises(TicketTransitionError):
        disclosure.set_limit("reveals_per_day", 1, ticket_id=ticket.ticket_id, actor=leader)
    approvals.approve(ticket.ticket_id, checker=people.checker)
    with pytest.raises(TicketMismatchError):
        disclosure.set_limit("reveals_per_day", 2, ticket_id=ticket.ticket_id, actor=leader)
    disclosure.set_limit("reveals_per_day", 1, ticket_id=ticket.ticket_id, actor=leader)
    with pytest.raises(TicketTransitionError):
        disclosure.set_limit("reveals_per_day", 1, ticket_id=ticket.ticket_id, actor=leader)
    (ref,) = world.customers(1)
    assert reveal(world, ref).remaining_today == 0
    with pytest.raises(RevealQuotaError):
        reveal(world, ref, "another-key")
    assert disclosure.limits_in_force().reveals_per_day == 1
