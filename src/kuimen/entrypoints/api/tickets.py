"""Approval tickets: what waits for this person, approve, refuse. A ticket is bound to its content and used once."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from kuimen.entrypoints.api.bodies import Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import decide
from kuimen.gate.approvals import services
from kuimen.gate.approvals.rules import Ticket, TicketState

router = Router()


class TicketOut(Schema):
    """A request of one person that another decides."""

    ticket_id: UUID
    action: str
    object_type: str
    object_ref: str
    maker: str
    checker: str
    state: TicketState
    requested_at: datetime
    expires_at: datetime


class RefusalIn(Strict):
    """Why not."""

    reason: Words


def _may_decide(subject: Subject, ticket: Ticket) -> bool:
    target = Resource(kind="ticket", ref=str(ticket.ticket_id), maker=ticket.maker)
    return decide(subject, Action.APPROVAL_DECIDE, target, {"requested": ticket.action}).allowed


@router.get("/waiting", response=list[TicketOut], summary="Tickets that wait for you")
def waiting(request: HttpRequest) -> list[TicketOut]:
    """Return the tickets that the caller may decide, oldest first."""
    subject = caller_of(request)
    return [
        TicketOut.model_validate(ticket) for ticket in services.waiting_for(subject) if _may_decide(subject, ticket)
    ]


@router.post("/{ticket_id}/approve", response=dict[str, object], summary="Approve as the second person")
def approve(request: HttpRequest, ticket_id: UUID) -> Answer:
    """Approve; of two at once one wins, the other answers 409."""
    subject = caller_of(request)

    def act() -> Answer:
        return {"ticket_id": str(ticket_id), "state": services.approve(ticket_id, checker=subject).state.value}

    return do_once(request, subject, {}, act)


@router.post("/{ticket_id}/refuse", response=dict[str, object], summary="Refuse")
def refuse(request: HttpRequest, ticket_id: UUID, body: RefusalIn) -> Answer:
    """Refuse a ticket."""
    subject = caller_of(request)

    def act() -> Answer:
        ticket = services.refuse(ticket_id, checker=subject, reason=body.reason)
        return {"ticket_id": str(ticket_id), "state": ticket.state.value}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{ticket_id}/withdraw", response=dict[str, object], summary="Withdraw one's own ticket")
def withdraw(request: HttpRequest, ticket_id: UUID) -> Answer:
    """Withdraw; anybody else's is not found."""
    subject = caller_of(request)

    def act() -> Answer:
        return {"ticket_id": str(ticket_id), "state": services.withdraw(ticket_id, maker=subject).state.value}

    return do_once(request, subject, {}, act)
