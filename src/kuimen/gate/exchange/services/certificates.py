"""Letting a partner in and out: its certificates, accepted by two officers, and our own to hand over."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.services import Ticket
from kuimen.gate.audit.services import record, record_refusal
from kuimen.gate.exchange import profile
from kuimen.gate.exchange.errors import (
    CertificateTransitionError,
    ExchangeInputError,
    PartnerNotFoundError,
)
from kuimen.gate.exchange.models import PartnerCertificate
from kuimen.gate.exchange.rules import (
    OWN_DECRYPTING,
    OWN_SIGNING,
    REGISTER_ACTION,
    CertificateEvent,
    CertificateState,
    KeyUse,
    next_state,
)
from kuimen.gate.keys import services as keys
from kuimen.kernels.ciphers.sm2.certificates import Sm2Certificate, Terms, Use, issue, split_pem, verify_chain

USES = {KeyUse.SIGN: Use.SIGN, KeyUse.ENCRYPT: Use.ENCRYPT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What two persons accept: the use, the partner, its certificate, and the way to a root that they trust."""

    partner_id: str
    use: KeyUse
    certificate: Sm2Certificate
    between: tuple[Sm2Certificate, ...]
    root: Sm2Certificate

    def content(self) -> dict[str, object]:
        """Return what the ticket is bound to; the fingerprints are what the officers compare by telephone."""
        return {
            "partner_id": self.partner_id,
            "use": self.use.value,
            "certificate_sm3": self.certificate.fingerprint(),
            "root_sm3": self.root.fingerprint(),
        }


def read_offer(*, partner_id: str, use: KeyUse | str, certificate: str, chain: str) -> Offer:
    """Read the PEM of a certificate and of its chain, the root last; a root of its own stands for itself.

    Raises:
        ExchangeInputError, CertificateFormError, CertificateRefusedError: naming the step.
    """
    if use not in set(KeyUse):
        raise ExchangeInputError(f"use: {' or '.join(KeyUse)}")
    leaf = Sm2Certificate.from_pem(certificate)
    above = [Sm2Certificate.from_pem(block) for block in split_pem(chain)] or [leaf]
    kind = KeyUse(use)
    if not profile.is_token(partner_id):
        raise ExchangeInputError("partner_id: letters, digits and . _ : - only, at most 128")
    verify_chain(leaf, above[:-1], roots=[above[-1]], at=clock.now(), use=USES[kind])
    return Offer(partner_id=partner_id, use=kind, certificate=leaf, between=tuple(above[:-1]), root=above[-1])


def request_certificate(offer: Offer, *, maker: Subject, reason: str) -> Ticket:
    """Ask another officer to accept a partner's certificate.

    Raises:
        NotPermittedError, TicketInputError: not an officer; no reason.
    """
    require(maker, Action.EXCHANGE_REGISTER, Resource(kind="partner", ref=offer.partner_id))
    ref = f"{offer.partner_id}/{offer.use.value}/{offer.certificate.fingerprint()}"  # what the second officer compares
    return approvals.request(
        REGISTER_ACTION, offer.content(), maker=maker, reason=reason, object_type="partner", object_ref=ref
    )


def approve_certificate(ticket_id: UUID, *, fingerprint: str, checker: Subject) -> Ticket:
    """Approve a certificate as the second officer, who names the fingerprint that the partner read out.

    Raises:
        ExchangeInputError: the ticket is about another certificate; recorded.
        DutySeparationError, NotPermittedError, TicketNotFoundError, TicketTransitionError: as in approving.
    """
    ticket = approvals.find(ticket_id)
    named = fingerprint.replace(":", "").replace(" ", "").lower()
    if ticket.action != REGISTER_ACTION or not named or ticket.object_ref.rpartition("/")[2] != named:
        record_refusal(
            REGISTER_ACTION,
            actor=actor_of(checker),
            object_type="ticket",
            object_ref=str(ticket_id),
            facts={"reason": "other_fingerprint"},
        )
        raise ExchangeInputError("fingerprint: the ticket is about another certificate; do not approve it")
    return approvals.approve(ticket_id, checker=checker)


def register_certificate(offer: Offer, *, ticket_id: UUID, maker: Subject) -> str:
    """Put an accepted certificate in force and return its key id; the one before it is retired.

    Raises:
        NotPermittedError, TicketMismatchError, TicketTransitionError: no valid approval of exactly this certificate.
        CertificateTransitionError: it was registered before.
    """
    require(maker, Action.EXCHANGE_REGISTER, Resource(kind="partner", ref=offer.partner_id))
    key_id = offer.certificate.fingerprint()
    now = clock.now()
    with transaction.atomic():
        approvals.redeem(ticket_id, offer.content(), actor=maker)
        held = PartnerCertificate.objects.select_for_update().filter(partner_id=offer.partner_id, use=offer.use.value)
        if any(row.key_id == key_id for row in held):
            raise CertificateTransitionError("certificate: it was registered before; ask the partner for a new one")
        for row in held:
            if row.state == CertificateState.ACTIVE.value:
                _advance(row, CertificateEvent.REPLACE, at=now)
        PartnerCertificate.objects.create(
            key_id=key_id,
            partner_id=offer.partner_id,
            use=offer.use.value,
            certificate=offer.certificate.to_pem(),
            chain="".join(one.to_pem() for one in (*offer.between, offer.root)),
            state=CertificateState.ACTIVE.value,
            registered_at=now,
            registered_by=maker.staff_no,
        )
        record(
            "exchange.certificate_registered",
            actor=actor_of(maker),
            object_type="partner",
            object_ref=offer.partner_id,
            facts={"use": offer.use.value, "key_id": key_id},
        )
    return key_id


def close_certificate(key_id: str, *, officer: Subject, reason: str) -> None:
    """Revoke a certificate at once; one officer is enough to close a door.

    Raises:
        NotPermittedError, PartnerNotFoundError, CertificateTransitionError: may not; unknown; revoked before.
    """
    require(officer, Action.EXCHANGE_REGISTER, Resource(kind="partner", ref=key_id))
    with transaction.atomic():
        row = PartnerCertificate.objects.select_for_update().filter(key_id=key_id).first()
        if row is None:
            raise PartnerNotFoundError("key_id: no such certificate")
        _advance(row, CertificateEvent.REVOKE, at=clock.now())
        record(
            "exchange.certificate_revoked",
            actor=actor_of(officer),
            object_type="partner",
            object_ref=row.partner_id,
            facts={"key_id": key_id, "reason": reason},
        )


def own_certificates(*, days: int = 365) -> dict[KeyUse, Sm2Certificate]:
    """Return certificates of this institution's two exchange keys, signed by themselves, to hand to a partner."""
    ring = keys.keyring()
    now = clock.now()
    made = {}
    for use, usage in ((KeyUse.SIGN, OWN_SIGNING), (KeyUse.ENCRYPT, OWN_DECRYPTING)):
        held = ring.sm2_key(usage)
        terms = Terms(
            subject=held.key_id, not_before=now, not_after=now + dt.timedelta(days=days), uses=frozenset({USES[use]})
        )
        made[use] = issue(terms, held.public_key, issuer_key=held)
    return made


def in_force(partner_id: str, use: KeyUse) -> tuple[PartnerCertificate, Sm2Certificate]:
    """Return a partner's certificate for this use, its chain followed at this moment.

    Raises:
        PartnerNotFoundError: there is none in force.
        CertificateRefusedError: it no longer leads to its root.
    """
    row = PartnerCertificate.objects.filter(
        partner_id=partner_id, use=use.value, state=CertificateState.ACTIVE.value
    ).first()
    if row is None:
        raise PartnerNotFoundError("partner_id: it has no certificate in force for this use; register one")
    return row, follow(row, use)


def follow(row: PartnerCertificate, use: KeyUse) -> Sm2Certificate:
    """Follow a registered certificate to the root that was accepted with it, at this moment."""
    leaf = read(row)
    above = [Sm2Certificate.from_pem(block) for block in split_pem(row.chain)]
    verify_chain(leaf, above[:-1], roots=[above[-1]], at=clock.now(), use=USES[use])
    return leaf


def read(row: PartnerCertificate) -> Sm2Certificate:
    """Read a registered certificate."""
    return Sm2Certificate.from_pem(row.certificate)


def _advance(row: PartnerCertificate, event: CertificateEvent, *, at: dt.datetime) -> None:
    state = next_state(CertificateState(row.state), event)
    if state is None:
        raise CertificateTransitionError("certificate: revoked before; nothing is left to do")
    row.state, row.closed_at = state.value, at
    row.save(update_fields=["state", "closed_at"])
