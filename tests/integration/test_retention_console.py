"""The page of what is due and the API beside it: references only, two persons, and a certificate at the end."""

import psycopg
import pytest
from django.test import Client

from fixtures.calling import problem_of, signed_in
from fixtures.erasing import listed, open_office
from fixtures.installed import System
from fixtures.people import PASSWORD
from kuimen.gate.access.rules import Role
from kuimen.gate.approvals import services as approvals
from kuimen.gate.retention.verifier import verify


@pytest.mark.clause("CQJR-6.5-c")
def test_the_api_goes_the_whole_way_and_refuses_who_may_not(system: System) -> None:
    office = open_office(survivors=0)
    erasure = listed(office.due.ref)
    maker, checker = signed_in(office.people, "S0001"), signed_in(office.people, "S0002")
    office.people.hire("E0001", Role.ENGINEER)
    engineer = signed_in(office.people, "E0001")
    path = f"/retention/erasures/{erasure.erasure_id}"

    problem_of(engineer.get("/retention/erasures"), 403)
    problem_of(engineer.post(f"{path}/suspend"), 403)
    problem_of(maker.post(f"{path}/destroy"), 409)
    text = maker.get("/retention/erasures").content.decode()
    assert str(office.due.ref) in text
    assert office.due.identity.mobile not in text
    assert maker.post(f"{path}/suspend").json()["state"] == "suspended"
    ticket = maker.post(f"{path}/request", {"reason": "期满"}).json()["ticket_id"]
    problem_of(maker.post(f"/approvals/{ticket}/approve"), 403)
    assert checker.post(f"/approvals/{ticket}/approve").json()["state"] == "approved"
    key = "one-intention-1"
    first, again = maker.post(f"{path}/destroy", key=key).json(), maker.post(f"{path}/destroy", key=key).json()
    assert (first["records_destroyed"], again["replayed"]) == (4, True)
    content = maker.post(f"{path}/certificate").json()["content"]
    assert verify(content.encode(), checkpoints=system.home.checkpoints).anchored
    stays = maker.get(f"/retention/persons/{office.due.ref}").json()
    assert [one["retention_class"] for one in stays] == ["consent_based"]


def test_ledger_and_certificates_in_the_database_are_insert_only_for_the_application(system: System) -> None:
    for statement in (b"DELETE FROM retention_applied", b"DELETE FROM retention_certificate"):
        with system.connect() as session, pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(statement)


def test_the_page_leads_through_every_step_and_hands_out_the_certificate(system: System) -> None:
    office = open_office(survivors=0)
    erasure = listed(office.due.ref).erasure_id
    client = Client()
    client.post("/accounts/login/", {"login": "S0001", "password": PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": office.people.code("S0001")})
    step = f"/retention/{erasure}/step"

    page = client.get("/retention/").content.decode()
    assert str(office.due.ref) in page
    assert "到期清单" in page
    assert "CQJR-6.5-c" in page
    assert client.post(step, {"step": "dance"}).status_code == 422
    assert client.post(step, {"step": "suspend"}).status_code == 302
    assert "提请批准" in client.get("/retention/").content.decode()
    assert client.post(step, {"step": "request", "reason": "期满"}).status_code == 302
    assert client.post(step, {"step": "destroy"}).status_code == 409
    (ticket,) = approvals.waiting_for(office.people.checker)
    approvals.approve(ticket.ticket_id, checker=office.people.checker)
    assert client.post(step, {"step": "destroy"}).status_code == 302
    assert "销毁证明" in client.get("/retention/").content.decode()
    sealed = client.post(f"/retention/{erasure}/certificate", {"form": "json"})
    assert verify(sealed.content, checkpoints=system.home.checkpoints).document["erasure"]["id"] == str(erasure)
    assert client.post(f"/retention/{erasure}/certificate", {"form": "pdf"}).content.startswith(b"%PDF")
