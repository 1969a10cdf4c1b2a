"""Keys: their state, dry runs, and what two persons do to them. Names, versions, states and counts; no key material."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field, StringConstraints

from kuimen.entrypoints.api.bodies import Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.entrypoints.api.tickets import TicketOut
from kuimen.entrypoints.worker.tasks import queue_order
from kuimen.gate.keys.deeds import LARGEST_NUMBER, Deed, DeedKind
from kuimen.gate.keys.orders import Order
from kuimen.gate.vault.rotation import approved, overseeing

router = Router()

About = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[0-9a-z_>-]+$")]
FASTEST = 1_000_000


class DeedIn(Strict):
    """One deed: a retention class, an element, or `merged>survivor`; a version or generation where it has one."""

    kind: DeedKind
    subject: About
    number: int = Field(0, ge=0, le=LARGEST_NUMBER)
    suite: str = Field("", max_length=16)

    def deed(self) -> Deed:
        """Return the deed; errors as there."""
        return Deed(kind=self.kind, subject=self.subject, number=self.number, suite=self.suite)


class KeyApplicationIn(DeedIn):
    """A deed, and why."""

    reason: Words


class KeyJobIn(Strict):
    """How fast a job may go; without a number, as fast as it can."""

    rows_per_second: int | None = Field(None, ge=1, le=FASTEST)


class CustodyEventOut(Schema):
    """One entry of the audit log about the custody of keys."""

    entry_id: UUID
    occurred_at: datetime
    actor: str
    action: str
    outcome: str
    object_ref: str


class KeysOut(Schema):
    """The state of the keys; `keys` is what `kuimen keys status --json` prints."""

    keys: dict[str, Any]
    events: list[CustodyEventOut]
    applications: list[TicketOut]


@router.get("", response=KeysOut, summary="State of the keys")
def state(request: HttpRequest) -> KeysOut:
    """Return root, domain keys with periods and uses, index keys, jobs, backup, and the latest custody events."""
    seen = overseeing.see(caller_of(request))
    return KeysOut(
        keys=seen.facts,
        events=[CustodyEventOut.model_validate(one) for one in seen.events],
        applications=[TicketOut.model_validate(one) for one in seen.tickets],
    )


@router.get("/plan", response=dict[str, object], summary="Dry run: count what a deed would do")
def plan(request: HttpRequest, wanted: Query[DeedIn]) -> Answer:
    """Count and change nothing; what could not be done now answers as the application would."""
    return dict(approved.plan(wanted.deed(), reader=caller_of(request)))


@router.post("/applications", response=dict[str, object], summary="Apply for a deed")
def apply(request: HttpRequest, body: KeyApplicationIn) -> Answer:
    """Ask another officer to approve exactly this deed; the ticket is decided under /approvals."""
    subject = caller_of(request)

    def act() -> Answer:
        ticket = approved.ask(body.deed(), maker=subject, reason=body.reason)
        return {"ticket_id": str(ticket.ticket_id), "state": ticket.state.value}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/applications/{ticket_id}/carry-out", response=dict[str, object], summary="Carry out what was approved")
def carry_out(request: HttpRequest, ticket_id: UUID, body: KeyJobIn) -> Answer:
    """Do it, once, as its applicant. A job is ordered; the worker takes it up, and /keys tells how far it is."""
    subject = caller_of(request)

    def act() -> Answer:
        done = approved.carry_out(
            approved.deed_of_ticket(ticket_id),
            ticket_id=ticket_id,
            actor=subject,
            rows_per_second=body.rows_per_second,
        )
        if done.order is None:
            return {"ticket_id": str(ticket_id), "done": dict(done.facts)}
        queue_order(done.order.order_id)
        return {"ticket_id": str(ticket_id), **_told(done.order)}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/orders/{order_id}/pause", response=dict[str, object], summary="Pause a job")
def pause(request: HttpRequest, order_id: UUID) -> Answer:
    """Stop the job behind its next batch; one custodian is enough."""
    subject = caller_of(request)

    def act() -> Answer:
        return _told(approved.pause(order_id, officer=subject))

    return do_once(request, subject, {}, act)


@router.post("/orders/{order_id}/resume", response=dict[str, object], summary="Go on with a job")
def resume(request: HttpRequest, order_id: UUID) -> Answer:
    """Have the worker take up a job that was paused or cut off; it was approved."""
    subject = caller_of(request)

    def act() -> Answer:
        order = approved.resume(order_id, officer=subject)
        queue_order(order_id)
        return _told(order)

    return do_once(request, subject, {}, act)


def _told(order: Order) -> Answer:
    return {"order_id": str(order.order_id), "state": order.state.value, "done_rows": order.done}
