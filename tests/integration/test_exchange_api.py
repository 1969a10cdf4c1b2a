"""Tokens and messages over the API: by role, two officers for a certificate, one answer for every wrong message."""

import base64
import json
from uuid import UUID, uuid4

import pytest
from django.test import Client

from fixtures.calling import Caller, problem_of, signed_in
from fixtures.installed import System
from fixtures.partners import Partner
from fixtures.people import OFFICERS, People, appoint_officers
from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access.rules import Role
from kuimen.gate.audit.models import Entry
from kuimen.gate.exchange import profile
from kuimen.gate.exchange.errors import REFUSAL
from kuimen.gate.exchange.profile import Head, Message
from kuimen.gate.exchange.rules import KeyUse
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.vault import services as vault
from kuimen.kernels.ciphers import sm3
from kuimen.kernels.ciphers.sm2.certificates import Sm2Certificate
from kuimen.kernels.elements.model import Element

INBOUND = "/api/v1/exchange/inbound"
TEXT = b'{"case": "C-7", "paid": "120.00"}'


def office(people: People) -> dict[str, Caller]:
    people.hire("P0001", Role.PARTNER_OPERATOR)
    people.hire("C0001", Role.COLLECTOR)
    return {staff_no: signed_in(people, staff_no) for staff_no in (*OFFICERS, "P0001", "C0001")}


def pem_of(partner: Partner, use: KeyUse) -> dict[str, str]:
    offer = partner.offer(use)
    return {
        "partner_id": partner.name,
        "use": use.value,
        "certificate": offer.certificate.to_pem(),
        "chain": offer.root.to_pem(),
    }


def let_in_over_api(callers: dict[str, Caller], offer: dict[str, str]) -> str:
    maker, checker = (callers[staff_no] for staff_no in OFFICERS)
    applied = maker.post("/exchange/certificates/applications", {**offer, "reason": "合作协议 2026-7"}).json()
    ticket = applied["ticket_id"]
    problem_of(maker.post("/exchange/certificates", {**offer, "ticket_id": ticket}), 409)
    problem_of(maker.post(f"/approvals/{ticket}/approve"), 403)
    (waiting,) = checker.get("/approvals/waiting").json()
    assert waiting["object_ref"].endswith(applied["fingerprint"])
    checker.post(f"/approvals/{ticket}/approve")
    return str(maker.post("/exchange/certificates", {**offer, "ticket_id": ticket}).json()["key_id"])


def over_the_wire(message: Message, *, path: str = INBOUND, body: bytes | None = None) -> Message:
    """Post as a partner's machine does and return the answer as a message."""
    client = Client(raise_request_exception=False)
    answer = client.post(
        path, message.body if body is None else body, content_type="application/json", headers=message.headers
    )
    return Message(headers={"status": str(answer.status_code), **dict(answer.headers)}, body=answer.content)


@pytest.mark.clause("JRT0171-6.1.2-a")
def test_a_partner_comes_in_writes_gets_a_signed_receipt_and_is_read_by_its_operator(system: System) -> None:
    people, partner = appoint_officers(), Partner()
    callers = office(people)
    operator = callers["P0001"]
    key_ids = {use: let_in_over_api(callers, pem_of(partner, use)) for use in KeyUse}
    own = {use: Sm2Certificate.from_pem(pem) for use, pem in operator.get("/exchange/own-certificates").json().items()}

    def written(**changes: str) -> Message:
        head = Head(
            partner_id=partner.name, key_id=key_ids[KeyUse.SIGN],
            receiver_key_id=own["encrypt"].subject.removeprefix("CN="), at=clock.now(), nonce=uuid4().hex,
            method="POST", **{"path": INBOUND, **changes},
        )  # fmt: skip
        return profile.close_message(TEXT, head, signer=partner.signing, receiver=own["encrypt"].public_key)

    message = written()
    receipt = over_the_wire(message)
    assert receipt.headers["status"] == "200"
    head = profile.read_head(receipt, method="POST", path=INBOUND)
    profile.check_signature(receipt, head, sender=own["sign"].public_key)
    assert head.reply_to == message.headers["Nonce"]
    told = json.loads(profile.open_body(receipt.body, head, receiver=partner.opening))

    wrong = (
        message,  # a replay
        written(path="/api/v1/elsewhere"),
        Message(headers={}, body=b"{}"),
        Message(headers={**written().headers, "Partner-Id": "nobody"}, body=message.body),
        Message(headers={**written().headers, "Timestamp": "1" * 13}, body=message.body),
    )
    answers = {over_the_wire(one).body for one in wrong} | {over_the_wire(written(), body=b"x" * 3_000_000).body}
    assert len(answers) == 1
    assert REFUSAL in json.loads(answers.pop())["detail"]

    path = f"/exchange/messages/{told['exchange_id']}/open"
    problem_of(callers["C0001"].post(path, {"purpose": "collection"}), 403)
    problem_of(callers["S0001"].post(path, {"purpose": "collection"}), 403)
    opened = operator.post(path, {"purpose": "collection"}).json()
    assert base64.b64decode(opened["text"]) == TEXT
    assert Entry.objects.get(action="exchange.opened").object_ref == told["exchange_id"]
    problem_of(operator.post(f"/exchange/messages/{uuid4()}/open", {"purpose": "collection"}), 404)

    body = {"partner_id": partner.name, "path": "/v1/cases", "text": base64.b64encode(TEXT).decode()}
    problem_of(callers["S0001"].post("/exchange/messages", {**body, "purpose": "collection"}), 403)
    problem_of(operator.post("/exchange/messages", {**body, "purpose": "collection", "text": "YQ=a"}), 422)
    sent = operator.post("/exchange/messages", {**body, "purpose": "collection"}).json()
    outgoing = Message(headers=sent["headers"], body=base64.b64decode(sent["body"]))
    head = profile.read_head(outgoing, method="POST", path="/v1/cases")
    profile.check_signature(outgoing, head, sender=own["sign"].public_key)
    assert profile.open_body(outgoing.body, head, receiver=partner.opening) == TEXT
    assert sorted(one["inbound"] for one in operator.get("/exchange/messages").json()) == [False, False, True]

    problem_of(operator.post(f"/exchange/certificates/{key_ids[KeyUse.SIGN]}/close", {"reason": "泄露"}), 403)
    callers["S0002"].post(f"/exchange/certificates/{key_ids[KeyUse.SIGN]}/close", {"reason": "私钥泄露"})
    assert over_the_wire(written()).headers["status"] == "403"
    states = {one["key_id"]: one["state"] for one in operator.get("/exchange/certificates").json()}
    assert states == {key_ids[KeyUse.SIGN]: "revoked", key_ids[KeyUse.ENCRYPT]: "active"}


def sealed_cards(count: int) -> list[UUID]:
    refs = vault.seal_many(
        [
            vault.SealItem(
                element=Element.BANK_CARD,
                value=Sensitive(f"62999900000{row:05d}", element="bank_card"),
                source_id="tests",
                source_table="card",
                source_column="no",
                source_key=sm3(uuid4().bytes),
                person_ref=uuid4(),
                retention_class=RetentionClass.IDENTITY_TRANSACTION,
            )
            for row in range(count)
        ]
    )
    return [ref.record_id for ref in refs]


@pytest.mark.clause("JRT0171-6.1.3-b")
def test_tokens_go_out_come_back_and_end_over_the_api(system: System) -> None:
    callers = office(appoint_officers())
    operator, officer = callers["P0001"], callers["S0001"]
    records = [str(one) for one in sealed_cards(3)]
    place = {"partner_id": "bank-1", "domain": "repayment"}
    for outsider in (callers["C0001"], officer):
        problem_of(outsider.post("/tokens/issue", {"record_ids": records, **place}), 403)
    made = operator.post("/tokens/issue", {"record_ids": records, **place}).json()
    assert operator.post("/tokens/issue", {"record_ids": records, **place}).json() == made
    tokens = [one["token"] for one in made]
    wanted = {"tokens": tokens, **place, "purpose": "servicing"}
    problem_of(callers["C0001"].post("/tokens/open", wanted), 403)
    assert sorted(one["record_id"] for one in operator.post("/tokens/open", wanted).json()) == sorted(records)
    problem_of(operator.post("/tokens/open", {**wanted, "domain": "other"}), 404, "tokens.not_found")
    change = {"tokens": tokens, "event": "suspend", "reason": "合作暂停"}
    problem_of(callers["C0001"].post("/tokens/change", change), 403)
    assert officer.post("/tokens/change", change).json() == {"state": "suspended", "count": 3}
    problem_of(officer.post("/tokens/change", change), 409)
    problem_of(operator.post("/tokens/open", wanted), 404)
    assert officer.post("/tokens/change", {**change, "event": "delete"}).json()["state"] == "deleted"
    problem_of(operator.post("/tokens/issue", {"record_ids": [str(uuid4())], **place}), 422)
