"""The only door on real databases: default masked, capped, recorded, or shut."""

from datetime import date, timedelta
from uuid import uuid4

import psycopg
import pytest

from fixtures.disclosing import COLLECTOR, LEADER, World, challenge, page, refusals, reveal
from fixtures.installed import System
from fixtures.people import appoint_officers
from kuimen.foundation.errors import rule_for
from kuimen.foundation.sensitive import FIXED_MASK
from kuimen.gate.access.rules import Role, Subject
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.errors import TicketMismatchError, TicketTransitionError
from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.errors import (
    DisclosureInputError,
    ObjectNotFoundError,
    PageTooLargeError,
    PeopleQuotaError,
    ProcedureRefusedError,
    RevealQuotaError,
    ViewNotFoundError,
)
from kuimen.gate.disclosure.models import Disclosure, Lookup
from kuimen.kernels.elements import Element


@pytest.fixture
def world(system: System) -> World:
    return World(system)


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
