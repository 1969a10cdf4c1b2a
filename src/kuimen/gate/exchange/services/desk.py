"""What staff do with partners' messages, as the policy permits it: send, take in, open again, look at.

Clause: JRT0171-6.1.2-a
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit.services import record, record_refusal
from kuimen.gate.exchange import profile
from kuimen.gate.exchange.errors import MessageRefusedError, PartnerNotFoundError
from kuimen.gate.exchange.models import KeptMessage, PartnerCertificate
from kuimen.gate.exchange.profile import Message
from kuimen.gate.exchange.rules import OWN_DECRYPTING
from kuimen.gate.exchange.services.certificates import own_certificates, read
from kuimen.gate.exchange.services.messages import Received, Sent, receive, send
from kuimen.gate.keys import services as keys
from kuimen.kernels.ciphers.sm2.certificates import Sm2Certificate

MOST_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateView:
    """A registered certificate."""

    key_id: str
    partner_id: str
    use: str
    state: str
    registered_at: datetime
    registered_by: str
    closed_at: datetime | None
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageView:
    """A kept message, without its content."""

    exchange_id: UUID
    inbound: bool
    partner_id: str
    kept_at: datetime
    sealed_bytes: int


def send_message(
    text: Sensitive[bytes],
    *,
    partner_id: str,
    method: str,
    path: str,
    purpose: str,
    subject: Subject,
    query: Sequence[tuple[str, str]] = (),
) -> Sent:
    """Close a message for a partner; errors as in :func:`send`.

    Raises:
        NotPermittedError: no policy permits it.
    """
    require(subject, Action.EXCHANGE_SEND, _partner(partner_id), {"purpose": purpose})
    return send(
        text, partner_id=partner_id, method=method, path=path, query=query, purpose=purpose, actor=actor_of(subject)
    )


def receive_message(
    message: Message, *, method: str, path: str, subject: Subject, query: Sequence[tuple[str, str]] = ()
) -> Received:
    """Take a message in by hand; errors as in :func:`receive`.

    Raises:
        NotPermittedError: no policy permits it.
    """
    require(subject, Action.EXCHANGE_OPEN, _partner())
    return receive(message, method=method, path=path, query=query)


def open_message(exchange_id: UUID, *, subject: Subject, purpose: str) -> Sensitive[bytes]:
    """Open a message that came in and was kept; its signature is checked again.

    Raises:
        NotPermittedError: no policy permits it.
        PartnerNotFoundError: nothing inbound is kept under this reference.
        MessageRefusedError: what is kept was altered, or is for a key that is no longer ours; recorded.
    """
    require(subject, Action.EXCHANGE_OPEN, _partner(), {"purpose": purpose})
    kept = KeptMessage.objects.filter(exchange_id=exchange_id, inbound=True).first()
    if kept is None:
        raise PartnerNotFoundError("exchange_id: no inbound message is kept under it")
    row = PartnerCertificate.objects.get(key_id=kept.partner_key_id)
    signed, body = bytes(kept.signed_fields), bytes(kept.sealed_body)
    own = keys.keyring().sm2_key(OWN_DECRYPTING)
    try:
        profile.check_kept(signed, body, bytes(kept.signature), sender=read(row).public_key)
        text = profile.open_kept(body, signed, receiver=own)
    except MessageRefusedError as refusal:
        record_refusal(
            "exchange.open",
            actor=actor_of(subject),
            object_type="exchange",
            object_ref=str(exchange_id),
            purpose=purpose,
            facts={"reason": refusal.reason},
        )
        raise
    with transaction.atomic():
        record(
            "exchange.opened",
            actor=actor_of(subject),
            object_type="exchange",
            object_ref=str(exchange_id),
            purpose=purpose,
            facts={"partner_id": kept.partner_id},
        )
    return Sensitive(text, element="free_text")


def messages(*, reader: Subject, partner_id: str = "", limit: int = MOST_SHOWN) -> list[MessageView]:
    """Return the latest kept messages, newest first, of one partner or of all."""
    require(reader, Action.EXCHANGE_READ, _partner(partner_id))
    rows = KeptMessage.objects.order_by("-kept_at")
    if partner_id:
        rows = rows.filter(partner_id=partner_id)
    return [
        MessageView(
            exchange_id=row.exchange_id,
            inbound=row.inbound,
            partner_id=row.partner_id,
            kept_at=row.kept_at,
            sealed_bytes=len(bytes(row.sealed_body)),
        )
        for row in rows[: min(limit, MOST_SHOWN)]
    ]


def certificates(*, reader: Subject) -> list[CertificateView]:
    """Return every registered certificate, the newest of each partner first."""
    require(reader, Action.EXCHANGE_READ, _partner())
    return [
        CertificateView(
            key_id=row.key_id,
            partner_id=row.partner_id,
            use=row.use,
            state=row.state,
            registered_at=row.registered_at,
            registered_by=row.registered_by,
            closed_at=row.closed_at,
            not_after=read(row).not_after,
        )
        for row in PartnerCertificate.objects.order_by("partner_id", "use", "-registered_at")
    ]


def own_to_hand_over(*, reader: Subject) -> dict[str, Sm2Certificate]:
    """Return this institution's certificates by use, to hand to a partner; the keys are unlocked."""
    require(reader, Action.EXCHANGE_READ, _partner())
    return {use.value: made for use, made in own_certificates().items()}


def _partner(partner_id: str = "") -> Resource:
    return Resource(kind="partner", ref=partner_id)
