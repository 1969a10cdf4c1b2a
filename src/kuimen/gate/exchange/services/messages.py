"""Sending, receiving, answering and proving.

Clause: JRT0171-6.1.2-a
"""

import base64
import datetime as dt
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from django.db import IntegrityError, transaction

from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit.services import Actor, record, record_refusal
from kuimen.gate.exchange import profile
from kuimen.gate.exchange.errors import (
    MessageRefusedError,
    PartnerNotFoundError,
)
from kuimen.gate.exchange.models import KeptMessage, PartnerCertificate, SeenNonce
from kuimen.gate.exchange.profile import CONTENT_HEADER, SIGNATURE_HEADER, Head, Message
from kuimen.gate.exchange.rules import (
    NONCE_KEPT,
    OVERLAP,
    OWN_DECRYPTING,
    OWN_SIGNING,
    CertificateState,
    KeyUse,
)
from kuimen.gate.exchange.services.certificates import follow, in_force, read
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.retention import services as retention
from kuimen.kernels.ciphers.errors import CertificateRefusedError

NONCE_BYTES = 18
About = Mapping[RetentionClass, Collection[UUID]]
NOBODY: About = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message ready for the wire, and the reference of its evidence."""

    exchange_id: UUID
    nonce: str
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message whose sender is proven. `text` leaves it only with a purpose."""

    exchange_id: UUID
    partner_id: str
    head: Head
    text: Sensitive[bytes]


def send(  # noqa: PLR0913 - the fields of a message
    text: Sensitive[bytes],
    *,
    partner_id: str,
    method: str,
    path: str,
    purpose: str,
    actor: Actor,
    query: Sequence[tuple[str, str]] = (),
    reply_to: str = "",
    about: About = NOBODY,
) -> Sent:
    """Close a message for a partner; it may leave only after the transaction around this call is committed.

    Cost: one SM2 encryption and one signature, two inserts.

    The persons that `about` names by retention class are entered in the register of exports, so that an erasure
    demands from this partner that it deletes them.

    Raises:
        PartnerNotFoundError: the partner has no certificate in force for encryption.
        ExchangeInputError: a field of the head is malformed, or the text is too long.
    """
    row, certificate = in_force(partner_id, KeyUse.ENCRYPT)
    signer = keys.keyring().sm2_key(OWN_SIGNING)
    head = Head(
        partner_id=str(keys.keyring().institution_id),
        key_id=signer.key_id,
        receiver_key_id=row.key_id,
        at=_milliseconds(clock.now()),
        nonce=secrets.token_urlsafe(NONCE_BYTES),
        method=method,
        path=path,
        query=tuple(query),
        reply_to=reply_to,
    )
    message = profile.close_message(
        text.reveal_for("exchange.send"), head, signer=signer, receiver=certificate.public_key
    )
    with transaction.atomic():
        kept = _keep(message, head, partner_id=partner_id, inbound=False, keys_used=(row.key_id, signer.key_id))
        record(
            "exchange.sent",
            actor=actor,
            object_type="exchange",
            object_ref=str(kept.exchange_id),
            purpose=purpose,
            facts={"partner_id": partner_id, "content_sm3": message.headers[CONTENT_HEADER]},
        )
        for kind, persons in about.items():
            retention.register_exports(
                persons,
                retention_classes=[kind],
                recipient=partner_id,
                reference=f"exchange:{kept.exchange_id}",
                actor=actor,
            )
    return Sent(exchange_id=kept.exchange_id, nonce=head.nonce, message=message)


def receive(message: Message, *, method: str, path: str, query: Sequence[tuple[str, str]] = ()) -> Received:
    """Take a message from the wire: sender, freshness, first use, then the text.

    Cost: one SM2 verification for the signature and one a step of the chain, one decryption, three inserts.

    Raises:
        MessageRefusedError: always the same words; the reason is in the audit log.
    """
    return _receive(message, method=method, path=path, query=query, reply_to="")


def answer(received: Received, text: Sensitive[bytes], *, purpose: str, actor: Actor, about: About = NOBODY) -> Sent:
    """Close the answer to a request, or an error about it, bound to that request."""
    return send(
        text,
        partner_id=received.partner_id,
        method=received.head.method,
        path=received.head.path,
        query=received.head.query,
        reply_to=received.head.nonce,
        purpose=purpose,
        actor=actor,
        about=about,
    )


def read_answer(sent: Sent, message: Message, *, method: str, path: str) -> Received:
    """Take the partner's answer to a message that was sent.

    Raises:
        MessageRefusedError: as :func:`receive`; also where it answers another request.
    """
    return _receive(message, method=method, path=path, query=(), reply_to=sent.nonce)


def prove(exchange_id: UUID) -> str:
    """Check the kept signature of an inbound message again and return the key id of who signed it.

    Raises:
        PartnerNotFoundError: nothing inbound is kept under this reference.
        MessageRefusedError: what is kept is not what was signed; it was altered since.
    """
    kept = KeptMessage.objects.filter(exchange_id=exchange_id, inbound=True).first()
    if kept is None:
        raise PartnerNotFoundError("exchange_id: no inbound message is kept under it")
    row = PartnerCertificate.objects.get(key_id=kept.partner_key_id)
    signed = bytes(kept.signed_fields)
    profile.check_kept(signed, bytes(kept.sealed_body), bytes(kept.signature), sender=read(row).public_key)
    return row.key_id


def forget_nonces() -> int:
    """Delete nonces whose messages would be refused by their date; for the worker."""
    deleted, _ = SeenNonce.objects.filter(forget_at__lt=clock.now()).delete()
    return deleted


def _receive(message: Message, *, method: str, path: str, query: Sequence[tuple[str, str]], reply_to: str) -> Received:
    try:
        head = profile.read_head(message, method=method, path=path, query=query)
        return _take(message, head, reply_to=reply_to)
    except MessageRefusedError as refusal:
        claimed = _claimed_partner(message)
        record_refusal(
            "exchange.receive",
            actor=Actor(kind="partner", ref=claimed, label=claimed),
            object_type="exchange",
            facts={"reason": refusal.reason},
        )
        raise


def _take(message: Message, head: Head, *, reply_to: str) -> Received:
    """Go through the checks in their order; what costs a private key comes after the signature."""
    if head.reply_to != reply_to:
        raise MessageRefusedError("reply_to")
    if not head.is_fresh(clock.now()):
        raise MessageRefusedError("timestamp_window")
    row = _sender(head)
    profile.check_signature(message, head, sender=read(row).public_key)
    own = keys.keyring().sm2_key(OWN_DECRYPTING)
    if head.receiver_key_id != own.key_id:
        raise MessageRefusedError("receiver_key_id")
    text = profile.open_body(message.body, head, receiver=own)
    with transaction.atomic():
        _use_nonce(head)
        kept = _keep(message, head, partner_id=head.partner_id, inbound=True, keys_used=(row.key_id, own.key_id))
        record(
            "exchange.received",
            actor=Actor(kind="partner", ref=head.partner_id, label=head.partner_id),
            object_type="exchange",
            object_ref=str(kept.exchange_id),
            facts={"key_id": row.key_id, "content_sm3": message.headers_folded[CONTENT_HEADER.lower()]},
        )
    return Received(
        exchange_id=kept.exchange_id, partner_id=head.partner_id, head=head, text=Sensitive(text, element="free_text")
    )


def _claimed_partner(message: Message) -> str:
    """Return who the sender says it is, where that may stand in the audit log."""
    claimed = message.headers_folded.get("partner-id", "")
    known = profile.is_token(claimed) and PartnerCertificate.objects.filter(partner_id=claimed).exists()
    return claimed if known else "unknown"


def _sender(head: Head) -> PartnerCertificate:
    row = PartnerCertificate.objects.filter(
        key_id=head.key_id, partner_id=head.partner_id, use=KeyUse.SIGN.value
    ).first()
    if row is None:
        raise MessageRefusedError("unknown_key")
    state, now = CertificateState(row.state), clock.now()
    overlapping = state is CertificateState.RETIRED and row.closed_at is not None and now < row.closed_at + OVERLAP
    if state is not CertificateState.ACTIVE and not overlapping:
        raise MessageRefusedError("certificate_state")
    try:
        follow(row, KeyUse.SIGN)
    except CertificateRefusedError:
        raise MessageRefusedError("certificate_chain") from None
    return row


def _use_nonce(head: Head) -> None:
    try:
        with transaction.atomic():
            SeenNonce.objects.create(partner_id=head.partner_id, nonce=head.nonce, forget_at=head.at + NONCE_KEPT)
    except IntegrityError:
        raise MessageRefusedError("replay") from None


def _keep(message: Message, head: Head, *, partner_id: str, inbound: bool, keys_used: tuple[str, str]) -> KeptMessage:
    partner_key_id, own_key_id = keys_used
    return KeptMessage.objects.create(
        inbound=inbound,
        partner_id=partner_id,
        partner_key_id=partner_key_id,
        own_key_id=own_key_id,
        nonce=head.nonce,
        reply_to=head.reply_to,
        signed_fields=head.bound(),
        sealed_body=message.body,
        signature=base64.b64decode(message.headers_folded[SIGNATURE_HEADER.lower()]),
        kept_at=clock.now(),
    )


def _milliseconds(moment: dt.datetime) -> dt.datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
