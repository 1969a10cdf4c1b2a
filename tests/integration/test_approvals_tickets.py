"""Tickets as they live in PostgreSQL: two people, one content, one use."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from django.db import transaction

from fixtures.at_once import at_once
from fixtures.installed import System
from fixtures.people import OFFICERS, People, appoint_officers
from kuimen.gate.access.errors import DutySeparationError, NotPermittedError
from kuimen.gate.access.rules import Role
from kuimen.gate.approvals import services
from kuimen.gate.approvals.errors import (
    TicketInputError,
    TicketMismatchError,
    TicketNotFoundError,
    TicketTransitionError,
)
from kuimen.gate.approvals.models import TicketRecord
from kuimen.gate.approvals.rules import Ticket, TicketEvent, TicketState, next_ticket_state
from kuimen.gate.audit.models import Entry

CONTENT = {"cases": ["c1", "c2"], "to": "W0001"}


@pytest.fixture
def people(system: System) -> People:
    people = appoint_officers()
    people.hire("L0001", Role.TEAM_LEADER)
    return people


def ask(people: People) -> Ticket:
    return services.request(
        "case.assign", CONTENT, maker=people.subject("L0001"), reason="月度分派", object_type="case", object_ref="batch"
    )


def state_of(ticket: Ticket) -> TicketState:
    return services.find(ticket.ticket_id).state


def audited(ticket: Ticket, outcome: str = "done") -> list[str]:
    rows = Entry.objects.filter(object_ref=str(ticket.ticket_id), outcome=outcome).order_by("id")
    return list(rows.values_list("action", flat=True))


def test_a_ticket_is_asked_for_by_one_decided_by_another_and_used_once(people: People) -> None:
    ticket = ask(people)
    services.approve(ticket.ticket_id, checker=people.checker)
    used = services.redeem(ticket.ticket_id, CONTENT, actor=people.subject("L0001"))
    assert (used.maker, used.checker, used.state) == ("L0001", OFFICERS[1], TicketState.REDEEMED)
    with pytest.raises(TicketTransitionError):
        services.redeem(ticket.ticket_id, CONTENT, actor=people.subject("L0001"))
    assert audited(ticket) == ["approval.request", "approval.approve", "approval.redeem"]
    assert audited(ticket, "refused") == ["approval.redeem"]


def test_the_maker_cannot_check_even_with_the_right_to_approve(people: People) -> None:
    ticket = ask(people)
    with pytest.raises(DutySeparationError):
        services.approve(ticket.ticket_id, checker=people.subject("L0001"))
    assert state_of(ticket) is TicketState.REQUESTED
    assert audited(ticket, "refused") == ["approval.decide"]


def test_a_collector_cannot_approve(people: People) -> None:
    ticket = ask(people)
    collector = people.hire("C0001", Role.COLLECTOR)
    with pytest.raises(NotPermittedError):
        services.approve(ticket.ticket_id, checker=collector)


def test_an_auditor_cannot_even_ask(people: People) -> None:
    auditor = people.hire("A0001", Role.AUDITOR)
    with pytest.raises(NotPermittedError):
        services.request("case.assign", CONTENT, maker=auditor, reason="试试")


def test_other_content_than_approved_is_refused_and_the_ticket_stays_usable(people: People) -> None:
    ticket = ask(people)
    services.approve(ticket.ticket_id, checker=people.checker)
    with pytest.raises(TicketMismatchError):
        services.redeem(ticket.ticket_id, {**CONTENT, "to": "W0002"}, actor=people.subject("L0001"))
    assert state_of(ticket) is TicketState.APPROVED
    services.redeem(ticket.ticket_id, CONTENT, actor=people.subject("L0001"))


def test_nobody_else_uses_the_ticket(people: People) -> None:
    ticket = ask(people)
    services.approve(ticket.ticket_id, checker=people.checker)
    with pytest.raises(TicketMismatchError):
        services.redeem(ticket.ticket_id, CONTENT, actor=people.checker)
    assert state_of(ticket) is TicketState.APPROVED


@pytest.mark.parametrize("approved", [False, True])
def test_an_overdue_ticket_expires_whether_or_not_the_sweep_has_run(
    people: People, system: System, *, approved: bool
) -> None:
    ticket = ask(people)
    if approved:
        services.approve(ticket.ticket_id, checker=people.checker)
    system.clock.advance(timedelta(hours=24))
    leader, checker = people.subject("L0001"), people.checker

    def go_on() -> Ticket:
        if approved:
            return services.redeem(ticket.ticket_id, CONTENT, actor=leader)
        return services.approve(ticket.ticket_id, checker=checker)

    with pytest.raises(TicketTransitionError):
        go_on()
    assert state_of(ticket) is TicketState.EXPIRED


def test_the_sweep_closes_overdue_tickets(people: People, system: System) -> None:
    ticket = ask(people)
    assert services.expire_due() == 0
    system.clock.advance(timedelta(days=1))
    assert services.expire_due() == 1
    assert state_of(ticket) is TicketState.EXPIRED
    assert audited(ticket)[-1] == "approval.expire"


def test_of_two_who_approve_at_once_one_wins(people: People) -> None:
    ticket = ask(people)
    first, second = people.maker, people.checker
    results = at_once(
        lambda: services.approve(ticket.ticket_id, checker=first),
        lambda: services.approve(ticket.ticket_id, checker=second),
    )
    assert sorted(type(result).__name__ for result in results) == ["Ticket", "TicketTransitionError"]
    assert audited(ticket).count("approval.approve") == 1
    winner = next(result for result in results if isinstance(result, Ticket))
    assert services.find(ticket.ticket_id).checker == winner.checker


def test_of_approve_and_refuse_at_once_one_wins(people: People) -> None:
    ticket = ask(people)
    first, second = people.maker, people.checker
    results = at_once(
        lambda: services.approve(ticket.ticket_id, checker=first),
        lambda: services.refuse(ticket.ticket_id, checker=second, reason="材料不全"),
    )
    assert [isinstance(result, TicketTransitionError) for result in results].count(True) == 1


def test_of_two_uses_at_once_one_wins(people: People) -> None:
    ticket = ask(people)
    services.approve(ticket.ticket_id, checker=people.checker)
    leader = people.subject("L0001")
    results = at_once(*[lambda: services.redeem(ticket.ticket_id, CONTENT, actor=leader)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["Ticket", "TicketTransitionError"]


def test_when_the_deed_fails_the_ticket_is_unused_again(people: People) -> None:
    ticket = ask(people)
    services.approve(ticket.ticket_id, checker=people.checker)
    with transaction.atomic():
        services.redeem(ticket.ticket_id, CONTENT, actor=people.subject("L0001"))
        transaction.set_rollback(True)
    assert state_of(ticket) is TicketState.APPROVED
    assert audited(ticket) == ["approval.request", "approval.approve"]


def ticket_in(people: People, state: TicketState) -> Ticket:
    ticket = ask(people)
    if state in {TicketState.APPROVED, TicketState.REDEEMED}:
        services.approve(ticket.ticket_id, checker=people.checker)
    TicketRecord.objects.filter(pk=ticket.ticket_id).update(state=state.value)
    return ticket


def test_every_state_by_every_event_in_the_database(people: People, system: System) -> None:
    leader, checker = people.subject("L0001"), people.checker
    deeds: dict[TicketEvent, Callable[[UUID], object]] = {
        TicketEvent.APPROVE: lambda ticket_id: services.approve(ticket_id, checker=checker),
        TicketEvent.REFUSE: lambda ticket_id: services.refuse(ticket_id, checker=checker, reason="不行"),
        TicketEvent.WITHDRAW: lambda ticket_id: services.withdraw(ticket_id, maker=leader),
        TicketEvent.REDEEM: lambda ticket_id: services.redeem(ticket_id, CONTENT, actor=leader),
    }
    for state, event in itertools.product(TicketState, deeds):
        ticket = ticket_in(people, state)
        after = next_ticket_state(state, event)
        if after is None:
            with pytest.raises(TicketTransitionError):
                deeds[event](ticket.ticket_id)
            assert audited(ticket, "refused") == [f"approval.{event.value}"]
        else:
            deeds[event](ticket.ticket_id)
        assert state_of(ticket) is (after or state), (state, event)
    for state in TicketState:
        ticket = ticket_in(people, state)
        system.clock.advance(timedelta(days=2))
        services.expire_due()
        assert state_of(ticket) is (next_ticket_state(state, TicketEvent.EXPIRE) or state)


def test_a_stranger_cannot_withdraw_a_ticket(people: People) -> None:
    ticket = ask(people)
    with pytest.raises(TicketNotFoundError):
        services.withdraw(ticket.ticket_id, maker=people.checker)


def test_a_ticket_without_end_is_refused(people: People) -> None:
    leader = people.subject("L0001")
    for lifetime in (timedelta(0), timedelta(days=8)):
        with pytest.raises(TicketInputError):
            services.request("case.assign", CONTENT, maker=leader, reason="久一点", lifetime=lifetime)


def test_waiting_tickets_are_shown_to_others_than_their_maker(people: People) -> None:
    ticket = ask(people)
    assert [one.ticket_id for one in services.waiting_for(people.checker)] == [ticket.ticket_id]
    assert services.waiting_for(people.subject("L0001")) == []


def test_the_database_keeps_tickets_and_two_people(people: People, system: System) -> None:
    ask(people)
    for statement in (
        b"DELETE FROM approvals_ticket",
        b"UPDATE approvals_ticket SET checker_id = maker_id",
        b"UPDATE approvals_ticket SET state = 'approved', checker_id = NULL",
        b"TRUNCATE approvals_ticket",
    ):
        with system.connect() as application, pytest.raises(psycopg.Error):
            application.execute(statement)
