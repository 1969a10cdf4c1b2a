"""Erasing a person: from the approved ticket to the committed destruction, keys, tags, ledger line and audit entry."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from random import Random
from uuid import UUID, uuid4

from django.db import transaction

from benchmarks.measurement import Measurement, percentile, times_of
from benchmarks.run import Run
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import Subject
from kuimen.gate.access.services import subject_of
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import store
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.retention import services as retention
from kuimen.gate.retention.rules import EventKind
from kuimen.gate.vault import services as vault
from kuimen.kernels.elements.fictitious import make_identity
from kuimen.kernels.elements.model import Element

LONG_AGO = date(2012, 3, 4)
RECORDS = 12  # as many as a borrower of a lender's own tables has
GOAL_MS = 1000.0


def measure(run: Run) -> list[Measurement]:
    run.department  # noqa: B018 - asking for it fills the installation
    maker, checker = officers()
    people = [seal_person(number) for number in range(run.sized(200, 12))]
    for number, person in enumerate(people):
        retention.record_event(
            person, kind=EventKind.RELATIONSHIP, ended_on=LONG_AGO, evidence=f"contract {number}", officer=maker
        )
    retention.check_due()
    approved = [approve(one.erasure_id, maker, checker) for one in due_of(people)]
    times = times_of([partial(retention.destroy, erasure, maker=maker) for erasure in approved])
    nearest = times_of([bare_deed for _ in approved])
    return [
        Measurement(
            what=f"erase one person ({RECORDS} records, {'goal' if share == 99 else 'median'}), p{share}",
            value=percentile(times, share / 100),
            unit="ms",
            limit=f"one row in each database, durable, p{share}" if share == 50 else "goal of one second",
            limit_value=percentile(nearest, share / 100) if share == 50 else GOAL_MS,
        )
        for share in (50, 99)
    ]


def officers() -> tuple[Subject, Subject]:
    """The two first officers of the benchmark's installation."""
    found = [subject_of(staff) for staff in Staff.objects.order_by("id")[:2]]
    return found[0], found[1]


def seal_person(number: int) -> UUID:
    person, identity = uuid4(), make_identity(Random(number), number)  # noqa: S311 - people that do not exist
    values = (
        (Element.PERSON_NAME, identity.person_name), (Element.MOBILE, identity.mobile),
        (Element.RESIDENT_ID, identity.resident_id), (Element.BANK_CARD, identity.bank_card),
    )  # fmt: skip
    items = [
        vault.SealItem(
            element=element, value=Sensitive(value, element=element.value), source_id="benchmark",
            source_table=f"core.t{copy}", source_column=element.value, source_key=number.to_bytes(32, "big"),
            person_ref=person,
        )
        for copy in range(RECORDS // len(values))
        for element, value in values
    ]  # fmt: skip
    vault.bind_many([ref.record_id for ref in vault.seal_many(items)])
    return person


def due_of(people: Sequence[UUID]) -> list[retention.ErasureView]:
    wanted = set(people)
    kind = RetentionClass.IDENTITY_TRANSACTION
    return [one for one in retention.due_list() if one.person_ref in wanted and one.retention_class is kind]


def approve(erasure_id: UUID, maker: Subject, checker: Subject) -> UUID:
    retention.suspend(erasure_id, officer=maker)
    ticket = retention.request_destruction(erasure_id, maker=maker, reason="benchmark")
    approvals.approve(ticket.ticket_id, checker=checker)
    return erasure_id


def bare_deed() -> None:
    """The least that two databases can do: one entry in the log, one row of the key database, both durable."""
    with transaction.atomic():
        audit.record("benchmark.bare", actor=audit.SYSTEM)
        with transaction.atomic(using=store.DATABASE):
            store.next_epoch()
