"""Messages between institutions on a real database: two officers let a partner in, wrong ones get one answer."""

import base64
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import psycopg
import pytest

from fixtures.installed import System
from fixtures.partners import Partner, let_in
from fixtures.people import People, appoint_officers
from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.errors import DutySeparationError, NotPermittedError
from kuimen.gate.access.rules import Role
from kuimen.gate.approvals import services as approvals
from kuimen.gate.approvals.errors import TicketMismatchError, TicketTransitionError
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.exchange import profile, services
from kuimen.gate.exchange.errors import (
    REFUSAL,
    CertificateTransitionError,
    ExchangeInputError,
    MessageRefusedError,
    PartnerNotFoundError,
)
from kuimen.gate.exchange.models import KeptMessage, SeenNonce
from kuimen.gate.exchange.profile import Head, Message
from kuimen.gate.exchange.rules import (
    NONCE_KEPT,
    OVERLAP,
    TRANSITIONS,
    CertificateEvent,
    CertificateState,
    KeyUse,
    next_state,
)
from kuimen.kernels.ciphers import sm2, sm3
from kuimen.kernels.ciphers.errors import CertificateRefusedError

PATH = "/v1/collections/cases"
TEXT = b'{"case": "C-7", "paid": "120.00"}'


@dataclass(slots=True)
class Line:
    """A partner that two officers let in, and a way to write messages as it."""

    partner: Partner
    people: People
    key_ids: dict[KeyUse, str]

    def head(self, **changes: object) -> Head:
        own = services.own_certificates()
        given: dict[str, object] = {
            "partner_id": self.partner.name,
            "key_id": self.key_ids[KeyUse.SIGN],
            "receiver_key_id": own[KeyUse.ENCRYPT].subject.removeprefix("CN="),
            "at": clock.now(),
            "nonce": uuid4().hex,
            "method": "POST",
            "path": PATH,
        }
        return Head(**given | changes)  # type: ignore[arg-type] - one dictionary for all cases

    def write(self, head: Head | None = None, *, signer: sm2.Sm2PrivateKey | None = None) -> Message:
        ours = services.own_certificates()[KeyUse.ENCRYPT].public_key
        return profile.close_message(TEXT, head or self.head(), signer=signer or self.partner.signing, receiver=ours)

    def moved(self, body: bytes, head: Head) -> Message:
        """Sign another message's body under this head, as a dishonest partner could."""
        headers = dict(self.write(head).headers)
        headers["Content-SM3"] = sm3(body).hex()
        headers["Signature"] = base64.b64encode(self.partner.signing.sign(head.signing_base(body))).decode()
        return Message(headers=headers, body=body)


@pytest.fixture
def line(system: System) -> Line:
    people, partner = appoint_officers(), Partner()
    return Line(partner=partner, people=people, key_ids={use: let_in(people, partner.offer(use)) for use in KeyUse})


def receive(message: Message, **changes: str) -> services.Received:
    given = {"method": "POST", "path": PATH} | changes
    return services.receive(message, method=given["method"], path=given["path"])


def reasons() -> list[str]:
    bodies = (
        Entry.objects.filter(action="exchange.receive", outcome="refused").order_by("id").values_list("body", flat=True)
    )
    return [bytes(body).decode().partition('"reason":"')[2].partition('"')[0] for body in bodies]


@pytest.mark.clause("JRT0171-6.1.2-a")
def test_a_message_goes_in_and_its_answer_out_sealed_signed_and_proven(line: Line) -> None:
    received = receive(line.write())
    assert received.partner_id == line.partner.name
    assert received.text.reveal_for("test") == TEXT
    assert services.prove(received.exchange_id) == line.key_ids[KeyUse.SIGN]
    sent = services.answer(received, Sensitive(b"accepted", element="free_text"), purpose="collection", actor=SYSTEM)
    head = profile.read_head(sent.message, method="POST", path=PATH)
    ours = services.own_certificates()
    assert head.reply_to == received.head.nonce
    profile.check_signature(sent.message, head, sender=ours[KeyUse.SIGN].public_key)
    assert profile.open_body(sent.message.body, head, receiver=line.partner.opening) == b"accepted"
    for kept in KeptMessage.objects.all():
        assert TEXT not in bytes(kept.sealed_body)
        assert b"accepted" not in bytes(kept.sealed_body)


def test_an_answer_belongs_to_its_request_only(line: Line) -> None:
    sent, other = (
        services.send(
            Sensitive(TEXT, element="free_text"),
            partner_id=line.partner.name,
            method="POST",
            path=PATH,
            purpose="collection",
            actor=SYSTEM,
        )
        for _ in range(2)
    )
    reply = line.write(line.head(reply_to=sent.nonce))
    with pytest.raises(MessageRefusedError):
        services.read_answer(other, reply, method="POST", path=PATH)
    assert services.read_answer(sent, reply, method="POST", path=PATH).text.reveal_for("test") == TEXT
    with pytest.raises(MessageRefusedError):
        receive(line.write(line.head(reply_to=sent.nonce)))
    assert reasons() == ["reply_to", "reply_to"]


def altered(message: Message) -> Message:
    return replace(message, body=message.body.replace(b'"v":1', b'"v": 1'))


def renamed(message: Message) -> Message:
    return replace(message, headers={**message.headers, "Nonce": uuid4().hex})


def unsigned(message: Message) -> Message:
    return replace(message, headers={k: v for k, v in message.headers.items() if k != "Signature"})


def bare(message: Message) -> Message:
    return replace(message, headers={})


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(altered, "content_sm3"), (renamed, "signature"), (unsigned, "signature"), (bare, "timestamp")],
)
def test_what_was_changed_on_the_way_is_refused(line: Line, spoil: Callable[[Message], Message], reason: str) -> None:
    with pytest.raises(MessageRefusedError) as refusal:
        receive(spoil(line.write()))
    assert str(refusal.value) == REFUSAL
    assert reasons() == [reason]
    assert KeptMessage.objects.count() == 0


def test_every_other_wrong_message_gets_the_same_words(line: Line) -> None:
    stranger, now = sm2.generate_keypair(), line.head().at
    wrong = [
        ("signature", line.write(signer=stranger)),
        ("timestamp_window", line.write(line.head(at=now - profile.WINDOW - dt.timedelta(seconds=1)))),
        ("timestamp_window", line.write(line.head(at=now + profile.WINDOW + dt.timedelta(seconds=1)))),
        ("unknown_key", line.write(line.head(key_id=line.key_ids[KeyUse.ENCRYPT]))),
        ("unknown_key", line.write(line.head(partner_id="agency-8"))),
        ("receiver_key_id", line.write(line.head(receiver_key_id="another"))),
        ("signature", line.write(line.head(path="/v1/other"))),
        (
            "decryption",
            profile.close_message(TEXT, line.head(), signer=line.partner.signing, receiver=stranger.public_key),
        ),
    ]
    wrong.append(("decryption", line.moved(line.write().body, line.head())))
    for _, message in wrong:
        with pytest.raises(MessageRefusedError) as refusal:
            receive(message)
        assert str(refusal.value) == REFUSAL
    assert reasons() == [reason for reason, _ in wrong]
    assert KeptMessage.objects.count() == SeenNonce.objects.count() == 0


def test_a_message_is_taken_once_also_after_its_nonce_is_forgotten(line: Line, system: System) -> None:
    message = line.write()
    receive(message)
    with pytest.raises(MessageRefusedError):
        receive(message)
    assert services.forget_nonces() == 0
    system.clock.advance(NONCE_KEPT + dt.timedelta(seconds=1))
    assert services.forget_nonces() == 1
    with pytest.raises(MessageRefusedError):
        receive(message)
    assert reasons() == ["replay", "timestamp_window"]


def test_a_partner_comes_in_by_two_officers_and_exactly_as_they_compared_it(system: System) -> None:
    people, partner = appoint_officers(), Partner()
    people.hire("C0001", Role.COLLECTOR)
    offer = partner.offer(KeyUse.SIGN)
    with pytest.raises(NotPermittedError):
        services.request_certificate(offer, maker=people.subject("C0001"), reason="不该我来")
    ticket = services.request_certificate(offer, maker=people.maker, reason="合作协议")
    with pytest.raises(TicketTransitionError):
        services.register_certificate(offer, ticket_id=ticket.ticket_id, maker=people.maker)
    with pytest.raises(DutySeparationError):
        approvals.approve(ticket.ticket_id, checker=people.maker)
    approvals.approve(ticket.ticket_id, checker=people.checker)
    with pytest.raises(TicketMismatchError):
        services.register_certificate(partner.offer(KeyUse.SIGN), ticket_id=ticket.ticket_id, maker=people.maker)
    services.register_certificate(offer, ticket_id=ticket.ticket_id, maker=people.maker)
    with pytest.raises(CertificateTransitionError, match="registered before"):
        let_in(people, offer)


def test_a_certificate_without_a_way_to_its_root_is_not_even_offered(system: System) -> None:
    partner, other = Partner(), Partner()
    with pytest.raises(CertificateRefusedError, match="no way to a trusted root"):
        partner.offer(KeyUse.SIGN, root=other.root())
    with pytest.raises(ExchangeInputError, match="partner_id"):
        replace(partner, name="机构 7").offer(KeyUse.SIGN)


def test_a_replaced_key_serves_an_hour_longer_and_a_revoked_one_not_a_moment(line: Line, system: System) -> None:
    old_key, old_id = line.partner.signing, line.key_ids[KeyUse.SIGN]
    line.partner.signing = sm2.generate_keypair()
    line.key_ids[KeyUse.SIGN] = let_in(line.people, line.partner.offer(KeyUse.SIGN))
    receive(line.write())
    receive(line.write(line.head(key_id=old_id), signer=old_key))
    system.clock.advance(OVERLAP + dt.timedelta(seconds=1))
    with pytest.raises(MessageRefusedError):
        receive(line.write(line.head(key_id=old_id), signer=old_key))
    services.close_certificate(line.key_ids[KeyUse.SIGN], officer=line.people.maker, reason="私钥疑似外泄")
    with pytest.raises(MessageRefusedError):
        receive(line.write())
    with pytest.raises(CertificateTransitionError):
        services.close_certificate(line.key_ids[KeyUse.SIGN], officer=line.people.checker, reason="再次")
    assert reasons() == ["certificate_state", "certificate_state"]


def test_nothing_is_sent_to_whom_no_certificate_is_in_force(line: Line) -> None:
    services.close_certificate(line.key_ids[KeyUse.ENCRYPT], officer=line.people.maker, reason="停用")
    for partner_id in (line.partner.name, "nobody"):
        with pytest.raises(PartnerNotFoundError):
            services.send(
                Sensitive(TEXT, element="free_text"),
                partner_id=partner_id,
                method="POST",
                path=PATH,
                purpose="collection",
                actor=SYSTEM,
            )
    assert KeptMessage.objects.count() == 0


def test_evidence_altered_by_the_owner_of_the_tables_no_longer_proves(line: Line, system: System) -> None:
    received = receive(line.write())
    with pytest.raises(psycopg.Error, match="permission denied"), system.connect() as application:
        application.execute("UPDATE exchange_message SET sealed_body = ''")
    with system.connect("kuimen_owner") as owner:
        owner.execute("UPDATE exchange_message SET sealed_body = sealed_body || ' '::bytea")
    with pytest.raises(MessageRefusedError):
        services.prove(received.exchange_id)
    with pytest.raises(PartnerNotFoundError):
        services.prove(uuid4())


@pytest.mark.parametrize("state", CertificateState)
def test_the_states_of_a_certificate_are_a_table(state: CertificateState) -> None:
    for event in CertificateEvent:
        assert next_state(state, event) == TRANSITIONS.get((state, event))
    assert next_state(CertificateState.REVOKED, CertificateEvent.REPLACE) is None
