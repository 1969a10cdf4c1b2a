"""Consents: the text to show, a customer's own act, its withdrawal. By reference; no name, no number."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from kuimen.entrypoints.api.bodies import Moment, Strict
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Purpose, Resource
from kuimen.gate.consent import reading, services
from kuimen.gate.consent.rules import ActKind, ActState, CustomerAct

router = Router()

Code = Field(max_length=64, pattern=r"^[a-z][a-z0-9-]*$")
Channel = Field(min_length=1, max_length=32, pattern=r"^[a-z0-9_-]+$")


class DocumentOut(Schema):
    """One version of a text that is shown to customers."""

    code: str
    version: int
    title: str
    body: str
    sm3: str


class ActOut(Schema):
    """One consent act and how it stands now."""

    act_id: UUID
    customer_ref: UUID
    document: str
    version: int
    purpose: str
    kind: str
    channel: str
    accepted_at: datetime
    valid_until: datetime | None
    state: ActState


class ActIn(Strict):
    """What a customer was shown and did. A box ticked beforehand is no act and is refused."""

    customer_ref: UUID
    document: str = Code
    shown_sm3: str = Field(pattern=r"^[0-9a-fA-F]{64}$")
    purpose: Purpose
    kind: ActKind
    initially_selected: bool
    shown_at: Moment
    channel: str = Channel
    valid_until: Moment | None = None


class WithdrawalIn(Strict):
    """Where the customer withdrew."""

    channel: str = Channel


@router.get("/documents", response=list[DocumentOut], summary="Current texts")
def documents(request: HttpRequest) -> list[DocumentOut]:
    """Return the current version of every text."""
    access.require(caller_of(request), Action.CONSENT_READ, Resource(kind="document"))
    return [DocumentOut.model_validate(version) for version in reading.current_documents()]


@router.get("/acts", response=list[ActOut], summary="Consent acts of a customer")
def acts(request: HttpRequest, customer_ref: UUID) -> list[ActOut]:
    """Return the acts of one customer, newest first, each with its state at this moment."""
    return [ActOut.model_validate(view) for view in reading.acts_of(caller_of(request), customer_ref)]


@router.post("/acts", response=dict[str, object], summary="Record a customer's own act")
def record_act(request: HttpRequest, body: ActIn) -> Answer:
    """Record an act on the current version of a text, and the legal basis that follows."""
    subject = caller_of(request)

    def act() -> Answer:
        given = body.model_dump(exclude={"customer_ref"})
        made = services.record_act_as(subject, body.customer_ref, CustomerAct(**given))
        return {"act_id": str(made)}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/acts/{act_id}/withdraw", response=dict[str, object], summary="Record a withdrawal")
def withdraw(request: HttpRequest, act_id: UUID, body: WithdrawalIn) -> Answer:
    """End the basis of an act at this moment; a second withdrawal answers 409."""
    subject = caller_of(request)

    def act() -> Answer:
        services.withdraw_as(subject, act_id, channel=body.channel)
        return {"act_id": str(act_id), "state": ActState.WITHDRAWN.value}

    return do_once(request, subject, body.model_dump(mode="json"), act)
