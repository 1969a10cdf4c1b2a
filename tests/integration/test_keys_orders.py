"""What is done to keys takes two persons, and a job can be paused, cut off and gone on with."""

from dataclasses import replace
from uuid import uuid4

import pytest

from fixtures.installed import System
from fixtures.people import People, appoint_officers
from kuimen.entrypoints.worker.running import run_worker
from kuimen.entrypoints.worker.tasks import queue_order
from kuimen.foundation import clock
from kuimen.foundation.errors import KuimenError
from kuimen.gate.access.errors import DutySeparationError, NotPermittedError
from kuimen.gate.access.rules import Role
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.controls import keys_are_rotated_in_time_by_two
from kuimen.gate.approvals.errors import TicketMismatchError, TicketTransitionError
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.keys import orders
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.deeds import Deed, DeedKind, deed_of, merging
from kuimen.gate.keys.domain_keys import keys_under_other_versions
from kuimen.gate.keys.errors import (
    DeedInputError,
    DomainKeyInUseError,
    OrderNotFoundError,
    OrderStandsError,
    OrderTransitionError,
    RotationPausedError,
)
from kuimen.gate.keys.rules import (
    CRYPTO_PERIOD,
    ORDER_TRANSITIONS,
    OrderEvent,
    OrderState,
    RetentionClass,
    next_order_state,
)
from kuimen.gate.vault.rotation import approved
from kuimen.kernels.elements.model import Element
from kuimen.standard import Outcome, ProbeContext

IDENTITY = RetentionClass.IDENTITY_TRANSACTION
ROTATE = Deed(kind=DeedKind.ROTATE_DOMAIN, subject=IDENTITY.value)
REWRAP = Deed(kind=DeedKind.REWRAP, subject=IDENTITY.value)


def carried_out(people: People, deed: Deed) -> approved.Done:
    ticket = approved.ask(deed, maker=people.maker, reason="年度轮换")
    approvals.approve(ticket.ticket_id, checker=people.checker)
    return approved.carry_out(deed, ticket_id=ticket.ticket_id, actor=people.maker)


def rotated(people: People, *, persons: int = 30) -> None:
    keys.keyring().person_keys([uuid4() for _ in range(persons)], IDENTITY)
    assert carried_out(people, ROTATE).facts == {
        "retention_class": IDENTITY.value, "version": 2, "suite": "sm4-gcm"
    }  # fmt: skip


@pytest.mark.clause("JRT0171-6.2.4-a")
def test_no_deed_is_done_by_one_person(system: System) -> None:
    people = appoint_officers()
    outsider = people.hire("C0001", Role.COLLECTOR)
    with pytest.raises(NotPermittedError):
        approved.ask(ROTATE, maker=outsider, reason="想换")
    ticket = approved.ask(ROTATE, maker=people.maker, reason="年度轮换")
    with pytest.raises(TicketTransitionError):
        approved.carry_out(ROTATE, ticket_id=ticket.ticket_id, actor=people.maker)
    with pytest.raises(DutySeparationError):
        approvals.approve(ticket.ticket_id, checker=people.maker)
    approvals.approve(ticket.ticket_id, checker=people.checker)
    with pytest.raises(TicketMismatchError):
        approved.carry_out(ROTATE, ticket_id=ticket.ticket_id, actor=people.checker)
    for other in (replace(ROTATE, suite="aes-256-gcm"), replace(ROTATE, subject="adverse_item"), REWRAP):
        with pytest.raises(TicketMismatchError):
            approved.carry_out(other, ticket_id=ticket.ticket_id, actor=people.maker)
    approved.carry_out(ROTATE, ticket_id=ticket.ticket_id, actor=people.maker)
    with pytest.raises(TicketTransitionError):
        approved.carry_out(ROTATE, ticket_id=ticket.ticket_id, actor=people.maker)


def test_what_cannot_be_done_now_gets_no_ticket_and_the_refusal_is_on_record(system: System) -> None:
    people = appoint_officers()
    rotated(people, persons=2)
    destroy = Deed(kind=DeedKind.DESTROY_DOMAIN, subject=IDENTITY.value, number=1)
    with pytest.raises(DomainKeyInUseError):
        approved.ask(destroy, maker=people.maker, reason="清理")
    refused = Entry.objects.get(action="keys.destroy_domain", outcome="refused")
    assert (refused.actor, refused.object_ref) == ("S0001", f"{IDENTITY.value}/1")
    assert approvals.waiting_for(people.checker) == []


def test_a_job_pauses_behind_a_whole_batch_and_the_worker_ends_it_later(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kuimen.gate.vault.rotation.services.rewrap.__kwdefaults__", {
        **approved.services.rewrap.__kwdefaults__, "batch": 10
    })  # fmt: skip
    people = appoint_officers()
    rotated(people)
    order = carried_out(people, REWRAP).order
    assert order is not None
    with pytest.raises(OrderStandsError):
        approved.ask(REWRAP, maker=people.maker, reason="再来一次")

    def pause_after_ten(done: int, _total: int) -> None:
        if done == 10:
            approved.pause(order.order_id, officer=people.checker)

    with pytest.raises(RotationPausedError):
        approved.run_order(order.order_id, actor=SYSTEM, advance=pause_after_ten)
    seen = orders.find(order.order_id)
    assert (seen.state, seen.done, seen.total, seen.changed_by) == (OrderState.PAUSED, 10, 31, "S0002")
    assert seen.stopped_by == RotationPausedError.code
    assert keys_under_other_versions(IDENTITY, 2) == 21
    with pytest.raises(OrderTransitionError):
        approved.run_order(order.order_id, actor=SYSTEM)
    with pytest.raises(OrderTransitionError):
        approved.pause(order.order_id, officer=people.maker)

    approved.resume(order.order_id, officer=people.maker)
    queue_order(order.order_id)
    queue_order(order.order_id)
    run_worker(once=True)
    seen = orders.find(order.order_id)
    assert (seen.state, seen.done, seen.stopped_by) == (OrderState.FINISHED, 31, "")
    assert seen.report is not None
    assert (seen.report["rewrapped"], seen.report["left"]) == (31, 0)
    assert keys_under_other_versions(IDENTITY, 2) == 0
    with pytest.raises(OrderTransitionError):
        approved.resume(order.order_id, officer=people.maker)
    with pytest.raises(OrderNotFoundError):
        approved.resume(uuid4(), officer=people.maker)


def test_a_deed_is_read_back_from_its_ticket_and_nonsense_is_none() -> None:
    for deed in (
        ROTATE, replace(ROTATE, suite="aes-256-gcm"), REWRAP, merging(uuid4(), uuid4()),
        Deed(kind=DeedKind.REENCRYPT, subject=IDENTITY.value, suite="sm4-gcm"),
        Deed(kind=DeedKind.REINDEX, subject=Element.MOBILE.value),
        Deed(kind=DeedKind.DROP_INDEX, subject=Element.MOBILE.value, number=3),
        Deed(kind=DeedKind.DESTROY_DOMAIN, subject=IDENTITY.value, number=12),
    ):  # fmt: skip
        assert deed_of(deed.kind.value, deed.ref) == deed
    for action, ref in (
        ("case.assign", "x"), ("keys.rewrap", "nothing"), ("keys.destroy_domain", IDENTITY.value),
        ("keys.destroy_domain", f"{IDENTITY.value}/0"), ("keys.rewrap", f"{IDENTITY.value}/sm4-gcm"),
        ("vault.merge", "a>b"), ("vault.merge", f"{uuid4()}"), ("vault.reindex", "nonsense"),
        ("keys.rotate_domain", f"{IDENTITY.value}/rot13"), ("keys.destroy_domain", f"{IDENTITY.value}/99999999999"),
    ):  # fmt: skip
        with pytest.raises(DeedInputError):
            deed_of(action, ref)


def test_every_state_of_an_order_takes_the_events_of_the_table() -> None:
    for state in OrderState:
        for event in OrderEvent:
            assert next_order_state(state, event) == ORDER_TRANSITIONS.get((state, event))
    assert issubclass(OrderTransitionError, KuimenError)


def outcome() -> Outcome:
    return keys_are_rotated_in_time_by_two(ProbeContext(at=clock.now())).outcome


@pytest.mark.planted_defect("JRT0171-6.2.4-a")
def test_a_key_rotated_by_nobody_but_one_or_too_late_is_seen(system: System) -> None:
    assert outcome() is Outcome.INSUFFICIENT
    people = appoint_officers()
    rotated(people, persons=2)
    order = carried_out(people, REWRAP).order
    assert order is not None
    approved.run_order(order.order_id, actor=SYSTEM)
    carried_out(people, Deed(kind=DeedKind.DESTROY_DOMAIN, subject=IDENTITY.value, number=1))
    assert outcome() is Outcome.HOLDS
    system.clock.advance(CRYPTO_PERIOD)
    assert outcome() is Outcome.REFUTED
    system.clock.advance(-CRYPTO_PERIOD)
    keys.rotate_domain(IDENTITY, actor=SYSTEM)  # as a program of one person could
    assert outcome() is Outcome.REFUTED
