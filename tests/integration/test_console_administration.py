"""Administration through the console's pages: a new colleague from registration to their first page, by two."""

import base64
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from fixtures.installed import System
from fixtures.people import PASSWORD, People, appoint_officers
from kuimen.foundation import clock
from kuimen.gate.access import services as access
from kuimen.gate.access.models import Staff, StaffChange
from kuimen.gate.access.rules import Action, Role, code_of_step, time_step
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit.models import Entry
from kuimen.gate.consent.models import ConsentAct
from kuimen.governance.documents.models import ControlledText

NEW_PASSWORD = "Another-Gorge-2026-Test"
BODY = "一、目的与范围。二、职责分工。三、具体要求。四、检查与考核。五、附则。仅供测试,每年复审一次,由责任岗位维护。"
SignIn = Callable[[str], Client]


@pytest.fixture
def people(system: System) -> People:
    return appoint_officers()


@pytest.fixture
def enter(people: People) -> SignIn:
    def sign_in(staff_no: str) -> Client:
        client = Client(raise_request_exception=False)
        client.post("/accounts/login/", {"login": staff_no, "password": PASSWORD})
        assert client.post("/accounts/2fa/authenticate/", {"code": people.code(staff_no)}).status_code == 302
        return client

    return sign_in


def text(answer: HttpResponse) -> str:
    return answer.content.decode()


def code_on(answer: HttpResponse) -> str:
    assert answer.status_code == 200, text(answer)
    assert answer["Cache-Control"] == "no-store"
    return re.findall(r'id="code"[^>]*>([0-9A-Z-]{14})<', text(answer))[0]


def change_of(kind: str) -> str:
    return str(StaffChange.objects.get(kind=kind).change_id)


def decide(client: Client, kind: str, decision: str) -> HttpResponse:
    return client.post(f"/desk/changes/{change_of(kind)}", {"decision": decision})


def test_a_newcomer_reaches_their_first_page_by_two_officers(people: People, enter: SignIn) -> None:
    maker, checker = enter("S0001"), enter("S0002")
    form = {"kind": "register_staff", "target": "n0001", "display_name": "新来者", "agency": "", "reason": "入职"}
    first = code_on(maker.post("/staff/changes", form))
    assert "N0001" in text(checker.get("/desk/"))
    assert decide(maker, "register_staff", "approve").status_code == 403
    second = code_on(decide(checker, "register_staff", "approve"))
    assert "待激活" in text(maker.get("/staff/"))

    newcomer = Client()
    wrong = {"staff_no": "N0001", "first_code": first, "second_code": first, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert "未被接受" in text(newcomer.post("/accounts/activate/", wrong))
    done = newcomer.post("/accounts/activate/", {**wrong, "second_code": second})
    assert done.headers["Location"] == "/accounts/login/"
    newcomer.post("/accounts/login/", {"login": "N0001", "password": NEW_PASSWORD})
    page = text(newcomer.get("/accounts/2fa/totp/activate/"))
    seed = base64.b32decode(re.findall(r'id="secret"[^>]*>([A-Z2-7]+)<', page)[0])
    newcomer.post("/accounts/2fa/totp/activate/", {"code": code_of_step(seed, time_step(clock.now()))})
    assert "没有生效的岗位权限" in text(newcomer.get("/"))

    maker.post("/staff/changes", {"kind": "assign_post", "target": "N0001", "post": "collection", "reason": "上岗"})
    decide(checker, "assign_post", "approve")
    until = (clock.today() + timedelta(days=30)).isoformat()
    newcomer.post("/staff/N0001/apply", {"post_role": "collection:collector", "valid_until": until, "reason": "上岗"})
    grant = access.subject_of(Staff.objects.get(staff_no="N0001"))
    assert grant.roles == frozenset()
    grant_id = re.findall(r"/desk/grants/([0-9a-f-]{36})", text(checker.get("/desk/")))[0]
    assert "档案" in text(checker.post(f"/desk/grants/{grant_id}", {"decision": "approve"}))
    for item in ("background", "confidentiality", "training"):
        entry = {"item": item, "done_on": clock.today().isoformat(), "evidence": "HR-17"}
        assert maker.post("/staff/N0001/file", entry).status_code == 302
    assert checker.post(f"/desk/grants/{grant_id}", {"decision": "approve"}).status_code == 302
    assert newcomer.get("/").headers["Location"] == "/cases/"
    assert "催收员" in text(newcomer.get("/own/"))


def test_taking_away_shows_on_the_desk_until_it_is_countersigned(people: People, enter: SignIn) -> None:
    people.hire("C0001", Role.COLLECTOR)
    maker, checker = enter("S0001"), enter("S0002")
    maker.post("/staff/changes", {"kind": "disable_staff", "target": "C0001", "reason": "离职"})
    assert not Staff.objects.get(staff_no="C0001").is_active
    assert "会签" in text(checker.get("/desk/"))
    assert decide(checker, "disable_staff", "countersign").status_code == 302
    assert "没有待办" in text(checker.get("/desk/"))
    assert "已停用" in text(maker.get("/staff/C0001/"))


def test_everybody_changes_their_own_password_and_stays_signed_in(people: People, enter: SignIn) -> None:
    people.hire("C0001", Role.COLLECTOR)
    client = enter("C0001")
    form = {"present": PASSWORD, "new": NEW_PASSWORD, "again": NEW_PASSWORD}
    assert client.post("/accounts/password/", {**form, "present": "wrong"}).status_code == 400
    assert client.post("/accounts/password/", {**form, "again": "other"}).status_code == 400
    assert client.post("/accounts/password/", form).headers["Location"] == "/own/"
    assert client.get("/own/").status_code == 200
    assert Staff.objects.get(staff_no="C0001").check_password(NEW_PASSWORD)


def test_pages_of_administration_refuse_everybody_else_on_record(people: People, enter: SignIn) -> None:
    people.hire("C0001", Role.COLLECTOR)
    client = enter("C0001")
    before = Entry.objects.filter(outcome="refused").count()
    for path in ("/staff/", "/staff/S0001/", "/documents/new", "/consents/"):
        assert client.get(path).status_code == 403, path
    assert (
        client.post("/staff/changes", {"kind": "disable_staff", "target": "S0001", "reason": "乱"}).status_code == 403
    )
    assert Entry.objects.filter(outcome="refused").count() == before + 5
    assert client.get("/documents/").status_code == 200


def test_tickets_wait_with_their_words_for_whoever_may_decide(people: People, enter: SignIn) -> None:
    people.hire("C0001", Role.COLLECTOR)
    people.hire("T0001", Role.TEAM_LEADER)
    ticket = approvals.request("case.step", {"case": "x"}, maker=people.subject("C0001"), reason="特殊情形")
    leader = enter("T0001")
    assert "案件流转" in text(leader.get("/own/"))
    answer = leader.post(f"/desk/tickets/{ticket.ticket_id}", {"decision": "approve"})
    assert answer.status_code == 302
    assert approvals.find(ticket.ticket_id).checker == "T0001"


def test_a_customer_text_is_drafted_approved_shown_accepted_and_withdrawn(people: People, enter: SignIn) -> None:
    people.hire("B0002", Role.IMPORTER)
    maker, checker, clerk = enter("S0001"), enter("S0002"), enter("B0002")
    form = {
        "kind": "customer_text", "code": "marketing-consent", "title": "营销授权书", "body": BODY,
        "topics": ["consent"], "owner_post": "security", "review_by": (clock.today() + timedelta(days=300)).isoformat(),
    }  # fmt: skip
    page = maker.post("/documents/draft", form).headers["Location"]
    assert checker.post(f"{page}decide", {"decision": "approve"}).status_code == 302
    assert "现行" in text(clerk.get(page))
    assert clerk.post(f"{page}decide", {"decision": "acknowledge"}).status_code == 302

    customer = str(uuid4())
    sm3 = ControlledText.objects.get().body_sm3
    act = {
        "customer": customer, "text": f"marketing-consent:{sm3}", "purpose": "marketing", "kind": "tick",
        "shown_at": "2026-11-20T09:30", "channel": "counter",
    }  # fmt: skip
    assert clerk.get(f"/consents/?customer={customer}").status_code == 200
    assert clerk.post("/consents/record", {**act, "initially_selected": "yes"}).status_code == 422
    assert clerk.post("/consents/record", act).status_code == 302
    made = ConsentAct.objects.get()
    assert "有效" in text(clerk.get(f"/consents/?customer={customer}"))
    assert clerk.post(f"/consents/{made.act_id}/withdraw", {"customer": customer}).status_code == 302
    assert clerk.post(f"/consents/{made.act_id}/withdraw", {"customer": customer}).status_code == 409
    assert "已撤回" in text(clerk.get(f"/consents/?customer={customer}"))
    assert maker.post("/consents/record", act).status_code == 403


def test_every_action_of_the_desk_has_words() -> None:
    from kuimen.entrypoints.console.words import ACTIONS

    assert {action.value for action in Action if action.value.startswith(("staff.", "document.", "consent."))} <= set(
        ACTIONS
    )
