"""Use cases of approvals: ask, decide as another person, do once what was approved."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals.errors import (
    TicketInputError,
    TicketMismatchError,
    TicketNotFoundError,
    TicketTransitionError,
)
from kuimen.gate.approvals.models import TicketRecord
from kuimen.gate.approvals.rules import (
    DEFAULT_LIFETIME,
    LONGEST_LIFETIME,
    OPEN_STATES,
    Ticket,
    TicketEvent,
    TicketState,
    digest_of_request,
    next_ticket_state,
    same_digest,
)
from kuimen.gate.audit.services import SYSTEM, Actor, record, record_refusal

__all__ = [
    "Ticket",
    "approve",
    "expire_due",
    "find",
    "open_ones",
    "redeem",
    "refuse",
    "request",
    "waiting_for",
    "withdraw",
]

SWEEP_ROWS = 500


def request(
    action: str,
    digest_of: Mapping[str, object],
    *,
    maker: Subject,
    reason: str,
    object_type: str = "",
    object_ref: str = "",
    lifetime: timedelta = DEFAULT_LIFETIME,
) -> Ticket:
    """Ask for an approval of exactly this content; only its digest is kept.

    Args:
        action: what shall be done, a dotted name.
        digest_of: the content that will be done: references, numbers, texts; no floats, no personal values needed.
        maker: who asks.
        reason: why, in words without personal numbers.
        object_type: kind of the object.
        object_ref: its reference.
        lifetime: how long the ticket may be decided and used, at most 7 days.

    Raises:
        NotPermittedError: the maker may not ask.
        TicketInputError: no reason, a wrong lifetime, or content without one spelling.
    """
    require(maker, Action.APPROVAL_REQUEST, Resource(kind=object_type or "ticket", ref=object_ref))
    if not reason.strip() or not timedelta(0) < lifetime <= LONGEST_LIFETIME:
        raise TicketInputError("reason, lifetime: say why, and ask for at most 7 days")
    digest = digest_of_request(action, digest_of)
    at = clock.now()
    with transaction.atomic():
        row = TicketRecord.objects.create(
            action=action,
            object_type=object_type,
            object_ref=object_ref,
            reason=reason,
            content_sm3=digest,
            state=TicketState.REQUESTED.value,
            maker=_staff(maker),
            requested_at=at,
            expires_at=at + lifetime,
        )
        _record(row, "approval.request", actor=actor_of(maker), facts={"reason": reason, "content_sm3": digest.hex()})
    return _as_ticket(row)


def approve(ticket_id: UUID, *, checker: Subject) -> Ticket:
    """Approve a ticket as another person than its maker; of two at once, one wins.

    Raises:
        DutySeparationError: the checker is the maker.
        NotPermittedError, TicketNotFoundError: the checker may not; no such ticket.
        TicketTransitionError: decided, withdrawn or expired already.
    """
    return _decide(ticket_id, TicketEvent.APPROVE, checker=checker)


def refuse(ticket_id: UUID, *, checker: Subject, reason: str) -> Ticket:
    """Refuse a ticket; errors as in :func:`approve`."""
    return _decide(ticket_id, TicketEvent.REFUSE, checker=checker, reason=reason)


def withdraw(ticket_id: UUID, *, maker: Subject) -> Ticket:
    """Withdraw one's own ticket before it is used; of another's it says not found."""
    with transaction.atomic():
        row = _locked(ticket_id)
        if row.maker.staff_no != maker.staff_no:
            raise TicketNotFoundError("ticket_id: no such ticket")
        if _advance(row, TicketEvent.WITHDRAW):
            row.closed_at = clock.now()
            row.save(update_fields=["state", "closed_at"])
            _record(row, "approval.withdraw", actor=actor_of(maker))
            return _as_ticket(row)
    _refuse_transition(ticket_id, TicketEvent.WITHDRAW, actor=actor_of(maker))
    return None


def redeem(ticket_id: UUID, digest_of: Mapping[str, object], *, actor: Subject) -> Ticket:
    """Use an approved ticket, once, by its maker, for exactly the approved content.

    Call it inside the transaction of the deed: when the deed fails, the ticket is unused again.

    Raises:
        TicketNotFoundError: no such ticket.
        TicketMismatchError: other content than approved, or another person than the maker.
        TicketTransitionError: not approved, used before, or expired.
    """
    with transaction.atomic():
        row = _locked(ticket_id)
        mismatch = _mismatch(row, digest_of, actor)
        if mismatch is None and _advance(row, TicketEvent.REDEEM):
            row.closed_at = clock.now()
            row.save(update_fields=["state", "closed_at"])
            _record(row, "approval.redeem", actor=actor_of(actor))
            return _as_ticket(row)
    if mismatch is not None:
        record_refusal(
            "approval.redeem",
            actor=actor_of(actor),
            object_type="ticket",
            object_ref=str(ticket_id),
            facts={"reason": mismatch},
        )
        raise TicketMismatchError("ticket: it was approved for another content or another person")
    _refuse_transition(ticket_id, TicketEvent.REDEEM, actor=actor_of(actor))
    return None


def expire_due() -> int:
    """Close tickets whose time is over, for the worker; an overdue ticket is of no use whether or not this has run."""
    at = clock.now()
    with transaction.atomic():
        due = TicketRecord.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            state__in=[state.value for state in OPEN_STATES], expires_at__lte=at
        )
        rows = list(due[:SWEEP_ROWS])
        for row in rows:
            _expire(row)
    return len(rows)


def find(ticket_id: UUID) -> Ticket:
    """Return a ticket.

    Raises:
        TicketNotFoundError: no such ticket.
    """
    row = TicketRecord.objects.select_related("maker", "checker").filter(ticket_id=ticket_id).first()
    if row is None:
        raise TicketNotFoundError("ticket_id: no such ticket")
    return _as_ticket(row)


def waiting_for(checker: Subject, *, limit: int = 100) -> list[Ticket]:
    """Return the tickets that wait and were not made by this person, oldest first."""
    rows = (
        TicketRecord.objects.select_related("maker", "checker")
        .filter(state=TicketState.REQUESTED.value, expires_at__gt=clock.now())
        .exclude(maker__staff_no=checker.staff_no)
        .order_by("requested_at")
    )
    return [_as_ticket(row) for row in rows[:limit]]


def open_ones(actions: Collection[str], *, limit: int = 100) -> list[Ticket]:
    """Return the tickets of these actions that are asked for or approved and still hold, oldest first."""
    rows = TicketRecord.objects.select_related("maker", "checker").filter(
        action__in=actions, state__in=[state.value for state in OPEN_STATES], expires_at__gt=clock.now()
    )
    return [_as_ticket(row) for row in rows.order_by("requested_at")[:limit]]


def _decide(ticket_id: UUID, event: TicketEvent, *, checker: Subject, reason: str = "") -> Ticket:
    seen = find(ticket_id)
    target = Resource(kind="ticket", ref=str(ticket_id), maker=seen.maker)
    require(checker, Action.APPROVAL_DECIDE, target, {"requested": seen.action})
    with transaction.atomic():
        row = _locked(ticket_id)
        if _advance(row, event):
            row.checker, row.decided_at, row.decision_reason = _staff(checker), clock.now(), reason
            if event is TicketEvent.REFUSE:
                row.closed_at = row.decided_at
            row.save(update_fields=["state", "checker", "decided_at", "decision_reason", "closed_at"])
            _record(row, f"approval.{event.value}", actor=actor_of(checker), facts={"reason": reason})
            return _as_ticket(row)
    _refuse_transition(ticket_id, event, actor=actor_of(checker))
    return None


def _advance(row: TicketRecord, event: TicketEvent) -> bool:
    """Move the row in memory, or close it where its time is over; False leaves it as the table demands."""
    state = TicketState(row.state)
    if state in OPEN_STATES and clock.now() >= row.expires_at:
        _expire(row)
        return False
    after = next_ticket_state(state, event)
    if after is None:
        return False
    row.state = after.value
    return True


def _expire(row: TicketRecord) -> None:
    after = next_ticket_state(TicketState(row.state), TicketEvent.EXPIRE)
    row.state, row.closed_at = (after or TicketState.EXPIRED).value, clock.now()
    row.save(update_fields=["state", "closed_at"])
    _record(row, "approval.expire", actor=SYSTEM)


def _mismatch(row: TicketRecord, digest_of: Mapping[str, object], actor: Subject) -> str | None:
    if row.maker.staff_no != actor.staff_no:
        return "not_the_maker"
    if not same_digest(bytes(row.content_sm3), digest_of_request(row.action, digest_of)):
        return "other_content"
    return None


def _refuse_transition(ticket_id: UUID, event: TicketEvent, *, actor: Actor) -> NoReturn:
    record_refusal(
        f"approval.{event.value}",
        actor=actor,
        object_type="ticket",
        object_ref=str(ticket_id),
        facts={"reason": "transition_not_allowed"},
    )
    raise TicketTransitionError(f"ticket: {event.value} is not possible in its present state; read it again")


def _locked(ticket_id: UUID) -> TicketRecord:
    row = (
        TicketRecord.objects.select_for_update(of=("self",))
        .select_related("maker", "checker")
        .filter(ticket_id=ticket_id)
        .first()
    )
    if row is None:
        raise TicketNotFoundError("ticket_id: no such ticket")
    return row


def _staff(subject: Subject) -> Staff:
    return Staff.objects.get(staff_no=subject.staff_no)


def _as_ticket(row: TicketRecord) -> Ticket:
    return Ticket(
        ticket_id=row.ticket_id,
        action=row.action,
        object_type=row.object_type,
        object_ref=row.object_ref,
        maker=row.maker.staff_no,
        checker=row.checker.staff_no if row.checker else "",
        state=TicketState(row.state),
        requested_at=row.requested_at,
        expires_at=row.expires_at,
    )


def _record(row: TicketRecord, action: str, *, actor: Actor, facts: Mapping[str, str] | None = None) -> None:
    record(
        action,
        actor=actor,
        object_type="ticket",
        object_ref=str(row.ticket_id),
        facts={"requested": row.action, "state": row.state, **(facts or {})},
    )
