"""The console below the browser: where people land, what they are offered, what a page says when something is wrong."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from fixtures.collecting import Department, open_department
from fixtures.installed import System
from fixtures.people import PASSWORD
from kuimen.entrypoints.console.messages import ADVICE, chinese_message
from kuimen.entrypoints.console.words import ACTIONS
from kuimen.foundation.errors import ERROR_TABLE, ConflictError
from kuimen.gate.access.errors import NotPermittedError
from kuimen.gate.access.rules import Action, Role
from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure.models import Disclosure
from kuimen.scenarios.collections import services as collections

SignIn = Callable[[str], Client]


@pytest.fixture
def department(system: System) -> Department:
    return open_department(each=1)


@pytest.fixture
def sign_in(department: Department) -> SignIn:
    """Sign people in through the pages, once each."""

    def enter(staff_no: str) -> Client:
        client = Client(raise_request_exception=False)
        client.post("/accounts/login/", {"login": staff_no, "password": PASSWORD})
        answer = client.post("/accounts/2fa/authenticate/", {"code": department.people.code(staff_no)})
        assert answer.status_code == 302
        return client

    return enter


def hold_all(department: Department, who: str) -> list[UUID]:
    for case in department.cases:
        collections.assign(department.leader, case, assignee=who)
    return list(department.cases)


def reveal(client: Client, case: UUID, *, key: str, element: str = "mobile", fragment: bool = False) -> HttpResponse:
    form = {
        "element": element,
        "reason_code": "verify_identity",
        "reason": "客户对登记信息有异议",
        "idempotency_key": key,
    }
    return client.post(f"/cases/{case}/reveal", form, headers={"HX-Request": "true"} if fragment else {})


@pytest.mark.parametrize(
    ("role", "first"),
    [
        (Role.TEAM_LEADER, "/cases/"),
        (Role.COLLECTOR, "/cases/"),
        (Role.AUDITOR, "/overview/"),
        (Role.ASSESSOR, "/overview/"),
        (Role.ENGINEER, "/overview/"),
    ],
)
def test_everybody_lands_where_their_work_is(department: Department, sign_in: SignIn, role: Role, first: str) -> None:
    department.people.hire("N0001", role)
    assert sign_in("N0001").get("/").headers["Location"] == first


def test_whoever_holds_no_role_is_told_so(department: Department, sign_in: SignIn) -> None:
    department.people.hire("N0001")
    assert "没有生效的岗位权限" in sign_in("N0001").get("/").content.decode()


@pytest.mark.clause("CQJR-5.4-d")
def test_a_double_click_discloses_once(department: Department, sign_in: SignIn) -> None:
    case = hold_all(department, "C0001")[0]
    client, key = sign_in("C0001"), uuid4().hex
    answers = [reveal(client, case, key=key, fragment=True).content.decode() for _ in range(2)]
    mobile = department.identity_of(case).mobile
    assert all(mobile in answer for answer in answers)
    views = {re.findall(r'id="reveal-view">([0-9a-f-]{36})', answer)[0] for answer in answers}
    assert len(views) == 1
    assert Disclosure.objects.filter(kind="reveal").count() == 1


def test_after_a_reveal_the_form_gets_a_key_of_its_own(department: Department, sign_in: SignIn) -> None:
    case = hold_all(department, "C0001")[0]
    client, key = sign_in("C0001"), uuid4().hex
    first = reveal(client, case, key=key, fragment=True).content.decode()
    fresh = re.findall(r'id="idempotency-key" value="([0-9a-f]{32})" hx-swap-oob="true"', first)
    assert fresh
    assert fresh[0] != key
    assert reveal(client, case, key=key, element="bank_card", fragment=True).status_code == 409
    assert reveal(client, case, key=fresh[0], element="bank_card", fragment=True).status_code == 200


@pytest.mark.clause("CQJR-5.4-c")
def test_a_foreign_case_is_a_404_and_on_record(department: Department, sign_in: SignIn) -> None:
    case = hold_all(department, "R0001")[0]
    client = sign_in("A0001")
    for path in ("", "reveal", "challenge", "event", "hold", "assign"):
        answer = client.get(f"/cases/{case}/") if not path else client.post(f"/cases/{case}/{path}", forms(path))
        assert answer.status_code == 404, path
        assert "没有这个案件" in answer.content.decode()
    assert Entry.objects.filter(outcome="refused", object_ref=str(case)).count() >= 6


def forms(path: str) -> dict[str, str]:
    return {
        "reveal": {
            "element": "mobile",
            "reason_code": "verify_identity",
            "reason": "客户有异议需核对",
            "idempotency_key": "k" * 16,
        },
        "challenge": {"element": "mobile", "answer": "0000"},
        "event": {"event": "start_work"},
        "hold": {"hold_reason": "dispute"},
        "assign": {"assignee": "A0001", "until": ""},
    }[path]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("event", {"event": "no_such_event"}),
        ("hold", {"hold_reason": ""}),
        ("challenge", {"element": "password", "answer": "0000"}),
        ("challenge", {"element": "mobile", "answer": "12"}),
        (
            "reveal",
            {
                "element": "mobile",
                "reason_code": "curiosity",
                "reason": "客户有异议需核对",
                "idempotency_key": "k" * 16,
            },
        ),
        (
            "reveal",
            {"element": "mobile", "reason_code": "verify_identity", "reason": "短", "idempotency_key": "k" * 16},
        ),
    ],
)
def test_a_form_that_does_not_fit_is_a_422_in_words(
    department: Department, sign_in: SignIn, path: str, form: dict[str, str]
) -> None:
    case = hold_all(department, "C0001")[0]
    answer = sign_in("C0001").post(f"/cases/{case}/{path}", form)
    assert answer.status_code == 422
    assert "输入有误" in answer.content.decode()


def test_a_date_that_is_none_and_an_unknown_collector_are_refused(department: Department, sign_in: SignIn) -> None:
    client, case = sign_in("T0001"), department.cases[0]
    for form in (
        {"assignee": "C0001", "until": "tomorrow"},
        {"assignee": "T0001"},
        {"assignee": "C0001", "until": "2020-01-01"},
    ):
        assert client.post(f"/cases/{case}/assign", form).status_code == 422
    assert client.post("/cases/deal", {}).status_code == 422


def test_only_dispatchers_learn_who_holds_how_many_cases(department: Department) -> None:
    hold_all(department, "C0001")
    held = {one.staff_no: one.held for one in collections.collectors(department.leader)}
    assert held == {"A0001": 0, "C0001": len(department.cases), "R0001": 0}
    for other in (department.collector, department.agent):
        with pytest.raises(NotPermittedError):
            collections.collectors(other)


def test_a_collector_whose_right_ended_is_not_offered(department: Department, system: System) -> None:
    system.clock.advance(timedelta(days=100))  # the rights of the tests last 90
    leader = department.people.hire("T0002", Role.TEAM_LEADER)
    assert collections.collectors(leader) == []


def test_charts_are_numbers_for_those_who_may_see_them(department: Department, sign_in: SignIn) -> None:
    officer = sign_in("S0001")
    for name in ("categories", "verdicts", "chapters-cqjr009", "chapters-jrt0171"):
        assert (
            "empty" in officer.get(f"/charts/{name}").json()
        )  # nothing was scanned or assessed, and the chart says so
    assert officer.get("/charts/disclosures").json()["series"] == [{"name": "贷后催收", "values": [1]}]
    assert officer.get("/charts/nothing").status_code == 404
    assert sign_in("A0001").get("/charts/categories").status_code == 403


def test_a_defect_is_a_page_without_its_text(
    department: Department, sign_in: SignIn, system: System, caplog: pytest.LogCaptureFixture
) -> None:
    client = sign_in("S0001")
    with system.connect("kuimen_owner") as owner:
        owner.execute("ALTER TABLE inventory_asset RENAME TO inventory_gone")
    answer = client.get("/overview/")
    assert answer.status_code == 500
    text = answer.content.decode()
    assert "没有披露任何信息" in text
    assert "inventory" not in text
    assert not any("relation" in record.getMessage() for record in caplog.records if record.name == "kuimen.console")


def test_a_fragment_of_a_signed_out_person_leads_the_whole_page_to_sign_in(system: System) -> None:
    answer = Client().get("/cases/", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.headers["HX-Redirect"].startswith("/accounts/login/")
    assert answer.content == b""


@pytest.mark.parametrize("path", ["account-signup", "account-reset-password", "account-email", "mfa-deactivate-totp"])
def test_pages_of_an_open_house_lead_nowhere(system: System, path: str) -> None:
    assert Client().get(f"/accounts/closed/{path}/").status_code == 404


def test_every_action_that_a_policy_knows_has_words_in_both_languages() -> None:
    assert set(map(str, Action)) - set(ACTIONS) == set()


def test_every_family_of_errors_has_chinese_advice() -> None:
    assert set(ADVICE) == set(ERROR_TABLE)

    class NewlyMadeError(ConflictError):
        code = "test.newly_made"

    assert chinese_message(NewlyMadeError("read again")) == ADVICE[ConflictError]
