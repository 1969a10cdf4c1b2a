"""Rights over the API: sign-in by token and by session, grants and tickets decided by a second person, the document."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client

from fixtures.calling import Caller, problem_of, signed_in
from fixtures.installed import System
from fixtures.people import PASSWORD, People, appoint_officers
from kuimen.foundation import clock
from kuimen.gate.access.rules import Role
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit.models import Entry

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


@pytest.fixture
def people(system: System) -> People:
    staffed = appoint_officers()
    staffed.hire("C0001", Role.COLLECTOR)
    return staffed


def sign_in(staff_no: str, *, password: str, totp: str) -> object:
    return Caller().post("/session", {"staff_no": staff_no, "password": password, "totp": totp})


def test_a_token_opens_until_it_is_signed_out(people: People) -> None:
    token = sign_in("C0001", password=PASSWORD, totp=people.code("C0001")).json()["token"]
    api = Caller(token)

    who = api.get("/session")
    assert who.json()["staff_no"] == "C0001"
    assert who.json()["roles"] == ["collector"]
    assert api.delete("/session").status_code == 204
    problem_of(api.get("/session"), 401, "request.unauthenticated")


def test_every_wrong_sign_in_gets_the_same_answer(people: People) -> None:
    good = people.code("C0001")
    answers = [
        sign_in("C0001", password="not-the-password-19990001234", totp=good),
        sign_in("C0001", password=PASSWORD, totp="000000"),
        sign_in("NOBODY", password=PASSWORD, totp=good),
    ]

    documents = [problem_of(answer, answer.status_code) for answer in answers]
    assert documents[0] == documents[1] == documents[2]
    assert sign_in("C0001", password=PASSWORD, totp=good).status_code == 200
    replayed = sign_in("C0001", password=PASSWORD, totp=good)
    assert problem_of(replayed, replayed.status_code) == documents[0]


def test_a_browser_session_may_read_and_needs_the_csrf_token_to_command(people: People) -> None:
    browser = Client(enforce_csrf_checks=True)
    page = browser.get("/accounts/login/")
    csrf = browser.cookies["csrftoken"].value
    assert page.status_code == 200
    form = {"login": "C0001", "password": PASSWORD, "csrfmiddlewaretoken": csrf}
    assert browser.post("/accounts/login/", form).status_code == 302
    problem_of(browser.get("/api/v1/session"), 401)
    code = {"code": people.code("C0001"), "csrfmiddlewaretoken": browser.cookies["csrftoken"].value}
    assert browser.post("/accounts/2fa/authenticate/", code).status_code == 302

    assert browser.get("/api/v1/session").json()["staff_no"] == "C0001"
    body = {"role": "collector", "post": "collection", "reason": "岗位延续", "valid_until": until()}
    bare = browser.post("/api/v1/grants", json.dumps(body), content_type="application/json")
    problem_of(bare, 403)
    headers = {"X-CSRFToken": browser.cookies["csrftoken"].value, "Idempotency-Key": "browser-key-1"}
    with_token = browser.post("/api/v1/grants", json.dumps(body), content_type="application/json", headers=headers)
    assert with_token.status_code == 200, with_token.content


def until() -> str:
    return (clock.now() + timedelta(days=30)).isoformat()


@pytest.mark.clause("CQJR-5.4-c")
def test_a_role_is_applied_for_by_one_and_approved_by_another(people: People) -> None:
    maker, checker = signed_in(people, "S0001"), signed_in(people, "S0002")
    body = {
        "staff_no": "C0001",
        "role": "collector",
        "post": "collection",
        "reason": "岗位延续",
        "valid_until": until(),
    }
    grant = maker.post("/grants", body).json()["grant_id"]

    problem_of(maker.post(f"/grants/{grant}/approve"), 403)
    waiting = checker.get("/grants", state="applied").json()
    assert [row["grant_id"] for row in waiting] == [grant]
    assert checker.post(f"/grants/{grant}/approve").json()["state"] == "active"
    problem_of(checker.post(f"/grants/{grant}/approve"), 409)
    assert checker.post(f"/grants/{grant}/revoke", {"reason": "转岗收回"}).json()["state"] == "recovered"
    assert Entry.objects.filter(action="grant.decide", outcome="refused", actor="S0001").count() == 1


def test_everybody_else_sees_only_grants_of_their_own(people: People) -> None:
    seen = signed_in(people, "C0001").get("/grants").json()

    assert {row["staff_no"] for row in seen} == {"C0001"}


def test_a_ticket_waits_for_those_who_may_decide_it_and_not_for_its_maker(people: People) -> None:
    ticket = approvals.request("limit.set", {"value": 5}, maker=people.maker, reason="降低额度")
    maker, checker, collector = (signed_in(people, who) for who in ("S0001", "S0002", "C0001"))

    assert maker.get("/approvals/waiting").json() == []
    assert collector.get("/approvals/waiting").json() == []
    assert [row["ticket_id"] for row in checker.get("/approvals/waiting").json()] == [str(ticket.ticket_id)]
    problem_of(maker.post(f"/approvals/{ticket.ticket_id}/approve"), 403)
    problem_of(collector.post(f"/approvals/{ticket.ticket_id}/refuse", {"reason": "不同意"}), 403)
    assert checker.post(f"/approvals/{ticket.ticket_id}/approve").json()["state"] == "approved"
    problem_of(checker.post(f"/approvals/{ticket.ticket_id}/refuse", {"reason": "不同意"}), 409)


def test_the_openapi_document_is_served_and_is_the_one_in_the_docs(people: People) -> None:
    served = Caller().get("/openapi.json")

    assert served.status_code == 200
    document = served.json()
    assert document["openapi"].startswith("3.")
    assert json.loads(REFERENCE.read_text(encoding="utf-8"))["paths"].keys() == document["paths"].keys()
