"""Suspend, resume, ask for destruction, destroy as the second of two persons.

Clause: CQJR-5.2-e, JRT0171-6.1.5-a, JRT0171-6.1.6-c
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.gate.keys import shredding
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.rules import KeyEvent
from kuimen.gate.retention.errors import ErasureNotFoundError, ErasureTransitionError, NothingDueError
from kuimen.gate.retention.ledger import Order, next_line
from kuimen.gate.retention.models import Applied, Erasure, Export
from kuimen.gate.retention.rules import (
    OPEN_STATES,
    ErasureEvent,
    ErasureState,
    RetentionClass,
    Verdict,
    next_state,
)
from kuimen.gate.retention.services import replaying
from kuimen.gate.retention.services.clocks import decide_many
from kuimen.gate.retention.services.copies import enter_copies
from kuimen.gate.tokens import services as tokens
from kuimen.gate.vault import erasing as vault

__all__ = ["ErasureView", "destroy", "due_list", "find", "request_destruction", "resume", "suspend"]

DESTROY = "retention.destroy"
LONGEST_LIST = 500
_KIND = "erasure"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureView:
    """An erasure as other floors see it."""

    erasure_id: UUID
    person_ref: UUID
    retention_class: RetentionClass
    state: ErasureState
    due_on: date
    reason_zh: str
    reason_en: str
    clause: str
    listed_at: datetime
    suspended_at: datetime | None
    ticket_id: UUID | None
    destroyed_at: datetime | None
    destroyed_by: str
    checked_by: str
    records_destroyed: int
    ledger_seq: int | None


def due_list(*, reader: Subject | None = None, state: ErasureState | None = None) -> list[ErasureView]:
    """Return open erasures, or those of one state, the longest due first; at most 500.

    Args:
        reader: who reads; None for the operator at the machine's own terminal, who sees references only.
        state: only these; open ones when None.
    """
    if reader is not None:
        require(reader, Action.RETENTION_READ, Resource(kind=_KIND))
    wanted = [state.value] if state else [one.value for one in OPEN_STATES]
    rows = Erasure.objects.filter(state__in=wanted).order_by("due_on", "listed_at", "erasure_id")
    return [_view(row) for row in rows[:LONGEST_LIST]]


def find(erasure_id: UUID, *, reader: Subject | None = None) -> ErasureView:
    """Return one erasure.

    Raises:
        ErasureNotFoundError: no such erasure.
    """
    if reader is not None:
        require(reader, Action.RETENTION_READ, Resource(kind=_KIND, ref=str(erasure_id)))
    row = Erasure.objects.filter(erasure_id=erasure_id).first()
    if row is None:
        raise ErasureNotFoundError("erasure_id: no such erasure")
    return _view(row)


def suspend(erasure_id: UUID, *, officer: Subject) -> ErasureView:
    """Stop every disclosure of this class of this person, in every process; :func:`resume` takes it back.

    Raises:
        NotPermittedError: `officer` may not.
        ErasureNotFoundError, ErasureTransitionError, NothingDueError: as named; refused and recorded.
    """
    require(officer, Action.RETENTION_SUSPEND, Resource(kind=_KIND, ref=str(erasure_id)))
    with _refusals("retention.suspend", erasure_id, officer), transaction.atomic():
        row = _locked(erasure_id)
        _require_due(row)
        _advance(row, ErasureEvent.SUSPEND)
        row.suspended_at, row.suspended_by = clock.now(), officer.staff_no
        row.save(update_fields=["state", "suspended_at", "suspended_by"])
        kind = RetentionClass(row.retention_class)
        hidden = vault.suspend_records(row.person_ref, kind)
        _record("retention.suspend", row, officer, facts={"records": hidden})
        keys.change_person_key(row.person_ref, retention_class=kind, event=KeyEvent.SUSPEND, actor=actor_of(officer))
    return _view(row)


def resume(erasure_id: UUID, *, officer: Subject) -> ErasureView:
    """Take a suspension back: the records are shown again as before.

    Raises:
        NotPermittedError, ErasureNotFoundError, ErasureTransitionError: as in :func:`suspend`.
    """
    require(officer, Action.RETENTION_SUSPEND, Resource(kind=_KIND, ref=str(erasure_id)))
    with _refusals("retention.resume", erasure_id, officer), transaction.atomic():
        row = _locked(erasure_id)
        _advance(row, ErasureEvent.RESUME)
        row.suspended_at, row.suspended_by, row.ticket_id = None, "", None
        row.save(update_fields=["state", "suspended_at", "suspended_by", "ticket_id"])
        kind = RetentionClass(row.retention_class)
        shown = vault.resume_records(row.person_ref, kind)
        _record("retention.resume", row, officer, facts={"records": shown})
        keys.change_person_key(row.person_ref, retention_class=kind, event=KeyEvent.RESTORE, actor=actor_of(officer))
    return _view(row)


def request_destruction(erasure_id: UUID, *, maker: Subject, reason: str) -> approvals.Ticket:
    """Ask another person to approve the destruction of exactly this class of this person.

    Raises:
        NotPermittedError: the maker may not destroy.
        ErasureNotFoundError, ErasureTransitionError, NothingDueError: as named; only what is suspended and due.
        TicketInputError: no reason is given.
    """
    require(maker, Action.RETENTION_DESTROY, Resource(kind=_KIND, ref=str(erasure_id)))
    with _refusals("retention.request", erasure_id, maker), transaction.atomic():
        row = _locked(erasure_id)
        if next_state(ErasureState(row.state), ErasureEvent.DESTROY) is None:
            raise ErasureTransitionError(f"erasure: in state {row.state} it cannot be destroyed; suspend it first")
        _require_due(row)
        ticket = approvals.request(
            DESTROY, _content(row), maker=maker, reason=reason, object_type=_KIND, object_ref=str(erasure_id)
        )
        row.ticket_id = ticket.ticket_id
        row.save(update_fields=["ticket_id"])
    return ticket


def destroy(erasure_id: UUID, *, maker: Subject) -> ErasureView:
    """Destroy what a second person has approved: keys, tags, sealed bytes, every process's cache.

    The clocks and holds are asked once more at this moment. The line of the shred ledger is on disk outside the
    databases before the first key goes; if the machine dies in between, the next unlock completes what two persons
    decided. There is no way back.

    Raises:
        NotPermittedError: the maker may not.
        ErasureNotFoundError, ErasureTransitionError, NothingDueError: as named; refused and recorded.
        TicketNotFoundError, TicketMismatchError, TicketTransitionError: no approved ticket of this maker for this.
        KeysLockedError, ShredLedgerUnavailableError, ShredLedgerAlteredError, KeyStoreError: nothing was destroyed.
    """
    require(maker, Action.RETENTION_DESTROY, Resource(kind=_KIND, ref=str(erasure_id)))
    ring = keys.keyring()
    sink, signer = replaying.sink(), ring.signer()  # made before, so that no rolled back transaction takes the key away
    with _refusals(DESTROY, erasure_id, maker), transaction.atomic():
        replaying.one_at_a_time()
        replaying.catch_up(ring)  # another process may have died between its line and its deed
        row = _locked(erasure_id)
        kind = RetentionClass(row.retention_class)
        _require_due(row)
        before = _content(row)
        _advance(row, ErasureEvent.DESTROY)
        if row.ticket_id is None:
            raise ErasureTransitionError("erasure: ask another person to approve the destruction first")
        ticket = approvals.redeem(row.ticket_id, before, actor=maker)
        order = _order(row, ticket, institution=ring.institution_id)
        _destroy_in_vault(ring, row, order, maker)

        def write(last: shredding.ShredLine | None) -> shredding.ShredLine:
            made = next_line(order, last, signer=signer)
            sink.append([made], follows=last)
            return made

        line, row.keys_destroyed = shredding.shred(row.person_ref, retention_class=kind, write=write)
        row.ledger_seq = line.seq
        row.save()
        Applied.objects.create(
            seq=line.seq, person_ref=row.person_ref, retention_class=kind.value, applied_at=order.at, replayed=False
        )
    ring.forget_person(row.person_ref)
    return _view(row)


def _order(row: Erasure, ticket: approvals.Ticket, *, institution: UUID) -> Order:
    return Order(
        institution=institution,
        person_ref=row.person_ref,
        retention_class=RetentionClass(row.retention_class),
        erasure_id=row.erasure_id,
        ticket_id=ticket.ticket_id,
        maker=ticket.maker,
        checker=ticket.checker,
        at=clock.now(),
    )


def _destroy_in_vault(ring: Keyring, row: Erasure, order: Order, maker: Subject) -> None:
    """Destroy records and tags, demand deletion from whoever received them, and record the deed on `row`."""
    erased = vault.destroy_records(ring, order.person_ref, order.retention_class, actor=actor_of(maker))
    enter_copies(order.person_ref, order.retention_class, at=order.at)
    tokens_deleted = tokens.delete_of_class(order.person_ref, order.retention_class)
    exports = Export.objects.filter(person_ref=order.person_ref, retention_class=order.retention_class.value)
    demanded = exports.filter(demanded_at__isnull=True).update(demanded_at=order.at)
    row.entry_id = _record(
        DESTROY,
        row,
        maker,
        facts={
            "checker": order.checker,
            "ticket": str(order.ticket_id),
            "records": erased.records,
            "tags": erased.tags,
            "tokens": tokens_deleted,
            "elements": list(erased.elements),
            "exports_demanded": demanded,
            "due_on": row.due_on.isoformat(),
        },
    )
    row.destroyed_at = row.closed_at = order.at
    row.destroyed_by, row.checked_by = order.maker, order.checker
    row.records_destroyed, row.tags_destroyed = erased.records, erased.tags
    row.elements = list(erased.elements)


def _content(row: Erasure) -> dict[str, object]:
    """Return what a ticket approves: this class of this person under this erasure, and nothing else."""
    return {
        "erasure": row.erasure_id,
        "person": row.person_ref,
        "class": row.retention_class,
        "due_on": row.due_on.isoformat(),
    }


def _require_due(row: Erasure) -> None:
    """Ask the clocks again: a new relationship or a hold since the check stops it."""
    kind = RetentionClass(row.retention_class)
    (decision,) = decide_many({row.person_ref: [kind]})[row.person_ref]
    if decision.verdict is not Verdict.DUE:
        raise NothingDueError(f"erasure: not due any more: {decision.reason_en}")


def _locked(erasure_id: UUID) -> Erasure:
    row = Erasure.objects.select_for_update().filter(erasure_id=erasure_id).first()
    if row is None:
        raise ErasureNotFoundError("erasure_id: no such erasure")
    return row


def _advance(row: Erasure, event: ErasureEvent) -> None:
    after = next_state(ErasureState(row.state), event)
    if after is None:
        raise ErasureTransitionError(f"erasure: in state {row.state} it does not take the step {event}")
    row.state = after.value


def _record(action: str, row: Erasure, subject: Subject, *, facts: dict[str, audit.FactValue]) -> UUID:
    return audit.record(
        action,
        actor=actor_of(subject),
        object_type=_KIND,
        object_ref=str(row.erasure_id),
        facts={
            "person": str(row.person_ref),
            "class": row.retention_class,
            "clause": row.clause,
            **facts,
        },
    )


@contextmanager
def _refusals(action: str, erasure_id: UUID, subject: Subject) -> Iterator[None]:
    """Record the refusal that leaves the block, then let it leave."""
    try:
        yield
    except (ErasureNotFoundError, ErasureTransitionError, NothingDueError) as refusal:
        audit.record_refusal(
            action,
            actor=actor_of(subject),
            object_type=_KIND,
            object_ref=str(erasure_id),
            facts={"reason": refusal.code},
        )
        raise


def _view(row: Erasure) -> ErasureView:
    return ErasureView(
        erasure_id=row.erasure_id,
        person_ref=row.person_ref,
        retention_class=RetentionClass(row.retention_class),
        state=ErasureState(row.state),
        due_on=row.due_on,
        reason_zh=row.reason_zh,
        reason_en=row.reason_en,
        clause=row.clause,
        listed_at=row.listed_at,
        suspended_at=row.suspended_at,
        ticket_id=row.ticket_id,
        destroyed_at=row.destroyed_at,
        destroyed_by=row.destroyed_by,
        checked_by=row.checked_by,
        records_destroyed=row.records_destroyed,
        ledger_seq=row.ledger_seq,
    )
