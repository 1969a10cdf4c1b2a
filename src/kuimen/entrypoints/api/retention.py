"""Retention: what is due, why something stays, suspend, destroy by two persons, certificates. References only."""

from datetime import date, datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from kuimen.entrypoints.api.bodies import Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.gate.access.services import actor_of
from kuimen.gate.retention import services
from kuimen.gate.retention.rules import ErasureState, RetentionClass, Verdict

router = Router()


class ErasureOut(Schema):
    """One class of one person on its way out."""

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


class DecisionOut(Schema):
    """What the clocks say about one class of one person."""

    retention_class: RetentionClass
    verdict: Verdict
    due_on: date | None
    reason_zh: str
    reason_en: str
    clause: str


class ReasonIn(Strict):
    """Why."""

    reason: Words


@router.get("/erasures", response=list[ErasureOut], summary="What is due, or was destroyed")
def erasures(request: HttpRequest, state: ErasureState | None = None) -> list[ErasureOut]:
    """Return open erasures, or those of one state, the longest due first; at most 500."""
    return [ErasureOut.model_validate(one) for one in services.due_list(reader=caller_of(request), state=state)]


@router.get("/persons/{person_ref}", response=list[DecisionOut], summary="What stays of a person, and why")
def decisions(request: HttpRequest, person_ref: UUID) -> list[DecisionOut]:
    """Return the decision about every class of which a key still exists."""
    access.require(caller_of(request), Action.RETENTION_READ, Resource(kind="person", ref=str(person_ref)))
    return [DecisionOut.model_validate(one) for one in services.decisions_of(person_ref)]


@router.post("/erasures/{erasure_id}/suspend", response=dict[str, object], summary="Show it to nobody any more")
def suspend(request: HttpRequest, erasure_id: UUID) -> Answer:
    """Suspend; it can be taken back."""
    subject = caller_of(request)

    def act() -> Answer:
        return {"erasure_id": str(erasure_id), "state": services.suspend(erasure_id, officer=subject).state.value}

    return do_once(request, subject, {}, act)


@router.post("/erasures/{erasure_id}/resume", response=dict[str, object], summary="Take a suspension back")
def resume(request: HttpRequest, erasure_id: UUID) -> Answer:
    """Resume."""
    subject = caller_of(request)

    def act() -> Answer:
        return {"erasure_id": str(erasure_id), "state": services.resume(erasure_id, officer=subject).state.value}

    return do_once(request, subject, {}, act)


@router.post("/erasures/{erasure_id}/request", response=dict[str, object], summary="Ask for the second person")
def request_destruction(request: HttpRequest, erasure_id: UUID, body: ReasonIn) -> Answer:
    """Ask another person to approve; the ticket is decided under /approvals."""
    subject = caller_of(request)

    def act() -> Answer:
        ticket = services.request_destruction(erasure_id, maker=subject, reason=body.reason)
        return {"erasure_id": str(erasure_id), "ticket_id": str(ticket.ticket_id)}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/erasures/{erasure_id}/destroy", response=dict[str, object], summary="Destroy what was approved")
def destroy(request: HttpRequest, erasure_id: UUID) -> Answer:
    """Destroy for good; there is no way back."""
    subject = caller_of(request)

    def act() -> Answer:
        done = services.destroy(erasure_id, maker=subject)
        return {
            "erasure_id": str(erasure_id),
            "state": done.state.value,
            "records_destroyed": done.records_destroyed,
            "ledger_seq": done.ledger_seq,
        }

    return do_once(request, subject, {}, act)


@router.post("/erasures/{erasure_id}/certificate", response=dict[str, object], summary="Make a signed certificate")
def certificate(request: HttpRequest, erasure_id: UUID) -> Answer:
    """Return the certificate as JSON text in `content`; its bytes are what `kuimen retention verify` reads."""
    subject = caller_of(request)

    def act() -> Answer:
        made = services.certify(erasure_id, actor=actor_of(subject), reader=subject)
        return {"certificate_id": str(made.certificate_id), "content": made.content.decode()}

    return do_once(request, subject, {}, act)
