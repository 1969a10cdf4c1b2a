"""Small promises of pages and API: short view ids, the third state, one attempt for one key."""

import re
from uuid import uuid4

import pytest
from django.test import Client

from fixtures.calling import Caller, problem_of
from fixtures.collecting import Department, open_department
from fixtures.installed import System
from fixtures.people import PASSWORD
from kuimen.gate.access.rules import Role
from kuimen.gate.audit import services as audit
from kuimen.gate.audit.models import Entry
from kuimen.scenarios.collections import services


@pytest.fixture
def department(system: System) -> Department:
    made = open_department(each=1)
    made.people.hire("D0001", Role.AUDITOR)
    services.assign(made.leader, made.cases[0], assignee="C0001")
    return made


def enter(department: Department, staff_no: str) -> Client:
    client = Client(raise_request_exception=False)
    client.post("/accounts/login/", {"login": staff_no, "password": PASSWORD})
    assert client.post("/accounts/2fa/authenticate/", {"code": department.people.code(staff_no)}).status_code == 302
    return client


@pytest.mark.clause("CQJR-5.4-d")
def test_the_short_form_of_a_watermark_leads_to_its_entry(department: Department) -> None:
    page = enter(department, "C0001").get(f"/cases/{department.cases[0]}/").content.decode()
    view = re.findall(r'id="view-id">([0-9a-f-]{36})', page)[0]
    assert "C2，已去关联" in page
    auditor = enter(department, "D0001")
    for typed in (view, view[:8], view[:13].upper()):
        found = auditor.get("/audit/", {"view": typed}).content.decode()
        assert re.findall(r"/audit/[0-9a-f-]{36}/", found), typed
    assert auditor.get("/audit/", {"view": view[:7]}).status_code == 422
    assert auditor.get("/audit/", {"view": "00000000"}).status_code == 422
    assert len(audit.views_beginning(view[:8])) == 1


@pytest.mark.clause("CQJR-5.4-f")
def test_a_challenge_sent_twice_under_one_key_is_one_attempt(department: Department) -> None:
    api = Caller(department.people.token("C0001"))
    case, key = department.cases[0], uuid4().hex
    body = {"element": "mobile", "answer": "0000"}
    first = api.post(f"/collections/cases/{case}/challenge", body, key=key).json()
    again = api.post(f"/collections/cases/{case}/challenge", body, key=key).json()
    assert first == again
    assert first["remaining_attempts"] == 2
    assert Entry.objects.filter(action="disclosure.challenge").count() == 1
    other = api.post(f"/collections/cases/{case}/challenge", {"element": "mobile", "answer": "1111"}, key=key)
    problem_of(other, 422, "api.idempotency_key_reused")
