"""Messages between institutions: partners' certificates by two officers, sending, the door for what comes in."""

import base64
import binascii
from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router, Schema
from pydantic import Field, StringConstraints

from kuimen.entrypoints.api.bodies import Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.entrypoints.api.tokens import Name
from kuimen.foundation import clock
from kuimen.foundation.errors import InvalidInputError
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Purpose
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.exchange import services
from kuimen.gate.exchange.errors import PartnerNotFoundError
from kuimen.gate.exchange.profile import MAX_BODY_BYTES, Message
from kuimen.gate.exchange.rules import KeyUse

router = Router()

Pem = Annotated[str, StringConstraints(max_length=16_384, pattern=r"^[\x09\x0a\x0d\x20-\x7e]*$")]
Path = Annotated[str, StringConstraints(pattern=r"^/[A-Za-z0-9._~/%-]{0,500}$")]
Base64 = Annotated[str, StringConstraints(max_length=MAX_BODY_BYTES, pattern=r"^[A-Za-z0-9+/]*={0,2}$")]
KEY_ID = r"^[0-9a-f]{64}$"


class TextShapeError(InvalidInputError):
    """The text of a message is no base64."""

    code = "exchange.text"


class OfferIn(Strict):
    """A partner's certificate, with those between it and its root, the root last; a self-signed one has none."""

    partner_id: Name
    use: KeyUse
    certificate: Pem
    chain: Pem = ""

    def offer(self) -> services.Offer:
        """Return the offer after its chain was followed; errors as there."""
        return services.read_offer(
            partner_id=self.partner_id, use=self.use, certificate=self.certificate, chain=self.chain
        )


class OfferApplicationIn(OfferIn):
    """A certificate, and why."""

    reason: Words


class OfferApprovedIn(OfferIn):
    """A certificate, and the ticket that approved exactly it."""

    ticket_id: UUID


class CloseIn(Strict):
    """Why."""

    reason: Words


class SendIn(Strict):
    """A message for a partner."""

    partner_id: Name
    method: Annotated[str, StringConstraints(pattern="^[A-Z]{3,7}$")] = "POST"
    path: Path
    text: Base64 = Field(description="the bytes of the message in base64")
    purpose: Purpose


class OpenIn(Strict):
    """For which purpose."""

    purpose: Purpose


class CertificateOut(Schema):
    """A registered certificate."""

    key_id: str
    partner_id: str
    use: KeyUse
    state: str
    registered_at: datetime
    registered_by: str
    closed_at: datetime | None
    not_after: datetime


class ExchangeOut(Schema):
    """A kept message, without its content."""

    exchange_id: UUID
    inbound: bool
    partner_id: str
    kept_at: datetime
    sealed_bytes: int


class SentOut(Schema):
    """What goes over the wire: these headers, and this body in base64."""

    exchange_id: UUID
    headers: dict[str, str]
    body: str


@router.get("/certificates", response=list[CertificateOut], summary="Partners' certificates")
def certificates(request: HttpRequest) -> list[CertificateOut]:
    """Return every registered certificate, in force or not."""
    return [CertificateOut.model_validate(one) for one in services.certificates(reader=caller_of(request))]


@router.get("/own-certificates", response=dict[str, str], summary="Our certificates, to hand to a partner")
def own(request: HttpRequest) -> dict[str, str]:
    """Return the PEM of the signing and of the encryption certificate, signed by themselves, for a year."""
    return {use: made.to_pem() for use, made in services.own_to_hand_over(reader=caller_of(request)).items()}


@router.post("/certificates/applications", response=dict[str, object], summary="Apply for a partner's certificate")
def apply(request: HttpRequest, body: OfferApplicationIn) -> Answer:
    """Ask another officer; both compare the fingerprint with the partner by telephone."""
    subject = caller_of(request)

    def act() -> Answer:
        offer = body.offer()
        ticket = services.request_certificate(offer, maker=subject, reason=body.reason)
        return {"ticket_id": str(ticket.ticket_id), "fingerprint": offer.certificate.fingerprint()}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/certificates", response=dict[str, object], summary="Put an approved certificate in force")
def register(request: HttpRequest, body: OfferApprovedIn) -> Answer:
    """Register it as its applicant; the one before it still serves for an hour."""
    subject = caller_of(request)

    def act() -> Answer:
        return {"key_id": services.register_certificate(body.offer(), ticket_id=body.ticket_id, maker=subject)}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/certificates/{key_id}/close", response=dict[str, object], summary="Revoke a certificate")
def close(request: HttpRequest, key_id: Annotated[str, StringConstraints(pattern=KEY_ID)], body: CloseIn) -> Answer:
    """Close a door at once; one officer is enough."""
    subject = caller_of(request)

    def act() -> Answer:
        services.close_certificate(key_id, officer=subject, reason=body.reason)
        return {"key_id": key_id, "state": "revoked"}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.get("/messages", response=list[ExchangeOut], summary="Kept messages")
def messages(request: HttpRequest, partner_id: Name | None = None) -> list[ExchangeOut]:
    """Return the latest messages that went out or came in, newest first."""
    found = services.messages(reader=caller_of(request), partner_id=partner_id or "")
    return [ExchangeOut.model_validate(one) for one in found]


@router.post("/messages", response=SentOut, summary="Close a message for a partner")
def send(request: HttpRequest, body: SendIn) -> SentOut:
    """Encrypt, sign and keep it; whoever carries it over the wire needs no key. Every call makes a new message."""
    try:
        text = base64.b64decode(body.text, validate=True)
    except binascii.Error:
        raise TextShapeError("text: write the bytes of the message in base64") from None
    sent = services.send_message(
        Sensitive(text, element="free_text"),
        partner_id=body.partner_id,
        method=body.method,
        path=body.path,
        purpose=body.purpose.value,
        subject=caller_of(request),
    )
    return SentOut(
        exchange_id=sent.exchange_id,
        headers=dict(sent.message.headers),
        body=base64.b64encode(sent.message.body).decode(),
    )


@router.post("/messages/{exchange_id}/open", response=dict[str, str], summary="Open a message that came in")
def open_(request: HttpRequest, exchange_id: UUID, body: OpenIn) -> dict[str, str]:
    """Return its text in base64, once its signature was checked again; the opening is recorded."""
    text = services.open_message(exchange_id, subject=caller_of(request), purpose=body.purpose.value)
    return {"text": base64.b64encode(text.reveal_for("exchange.open")).decode()}


@router.post("/inbound", auth=None, response={200: None, 202: dict[str, str]}, summary="The door for partners")
def inbound(request: HttpRequest) -> HttpResponse:
    """Take a message of the wire profile; its SM2 signature is the only credential.

    The answer is a message of the same profile that names the reference under which it is kept. Whatever is wrong with
    a message, the answer is the same 403; a body that is too long breaks its own digest.
    """
    query = [(name, value) for name in request.GET for value in request.GET.getlist(name)]
    message = Message(headers=dict(request.headers), body=request.read(MAX_BODY_BYTES + 1))
    received = services.receive(message, method=request.method or "", path=request.path, query=query)
    told = {"exchange_id": str(received.exchange_id), "received_at": clock.now().isoformat()}
    receipt = Sensitive(JsonResponse(told).content, element="free_text")
    try:
        sent = services.answer(received, receipt, purpose="servicing", actor=SYSTEM)
    except PartnerNotFoundError:  # it has no certificate to encrypt for; the reference is no secret
        return JsonResponse(told, status=202)
    return HttpResponse(sent.message.body, content_type="application/json", headers=dict(sent.message.headers))
