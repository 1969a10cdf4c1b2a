"""The page of the keys and the API beside it: by policy, nothing that opens anything, two persons for every deed."""

import json
from uuid import uuid4

import pytest
from django.test import Client

from fixtures.calling import problem_of, signed_in
from fixtures.installed import CUSTODIANS, System
from fixtures.people import OFFICERS, PASSWORD, People, appoint_officers
from kuimen.entrypoints.worker.running import run_worker
from kuimen.gate.access.rules import Role
from kuimen.gate.audit.models import Entry
from kuimen.gate.keys import orders
from kuimen.gate.keys import services as keys
from kuimen.gate.keys.models import DomainKey, IndexKey, PersonKey
from kuimen.gate.keys.rules import CRYPTO_PERIOD, OrderState, RetentionClass

IDENTITY = RetentionClass.IDENTITY_TRANSACTION.value


def browser(people: People, staff_no: str, *, ahead: int = 0) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": staff_no, "password": PASSWORD})
    client.post("/accounts/2fa/authenticate/", {"code": people.code(staff_no, ahead=ahead)})
    return client


def secrets_of(system: System) -> set[str]:
    """Return every wrapped key and half in the forms in which a page or an answer could betray it."""
    rows = [row for table in (DomainKey, PersonKey, IndexKey) for row in table.objects.filter(wrapped__isnull=False)]
    wrapped = [bytes(row.wrapped or b"") for row in rows]
    halves = json.loads(system.home.keys.joinpath("domain-halves.json").read_text(encoding="utf-8"))
    return {one.hex() for one in wrapped} | set(halves.values()) | set(CUSTODIANS.values())


@pytest.mark.clause("JRT0171-6.2.4-a")
def test_the_page_leads_through_rotation_rewrap_and_destruction_by_two_persons(system: System) -> None:
    people = appoint_officers()
    keys.keyring().person_keys([uuid4() for _ in range(5)], RetentionClass.IDENTITY_TRANSACTION)
    maker, checker = (browser(people, staff_no) for staff_no in OFFICERS)
    page = maker.get("/keys/").content.decode()
    assert "密钥树" in page
    assert "还没有域密钥：此类别首次加密时自动生成。" in page
    assert "从未确认备份" in page

    def through(**deed: str) -> None:
        assert maker.post("/keys/apply", {"step": "ask", "reason": "年度轮换", **deed}).status_code == 302
        ticket = people_waiting(people)
        assert "等另一名主管批准" in maker.get("/keys/").content.decode()
        assert maker.post(f"/desk/tickets/{ticket}", {"decision": "approve"}).status_code == 403
        assert maker.post(f"/keys/tickets/{ticket}").status_code == 409
        assert f"/keys/tickets/{ticket}" not in checker.get("/keys/").content.decode()
        assert checker.post(f"/desk/tickets/{ticket}", {"decision": "approve"}).status_code == 302
        assert checker.post(f"/keys/tickets/{ticket}").status_code == 403
        assert f"/keys/tickets/{ticket}" in maker.get("/keys/").content.decode()
        assert maker.post(f"/keys/tickets/{ticket}", {"rate": "100000"}).status_code == 302
        assert maker.post(f"/keys/tickets/{ticket}").status_code == 409

    through(kind="keys.rotate_domain", subject=IDENTITY)
    plan = maker.post("/keys/apply", {"step": "plan", "kind": "keys.rewrap", "subject": IDENTITY})
    assert "试算，未作改动" in plan.content.decode()
    early = {"step": "ask", "reason": "早了", "kind": "keys.destroy_domain", "subject": IDENTITY, "number": "1"}
    assert maker.post("/keys/apply", early).status_code == 409
    through(kind="keys.rewrap", subject=IDENTITY)
    (order,) = orders.latest()
    assert "进行中" in maker.get("/keys/jobs").content.decode()
    assert maker.post(f"/keys/orders/{order.order_id}", {"step": "pause"}).status_code == 302
    assert "已暂停" in checker.get("/keys/jobs").content.decode()
    assert checker.post(f"/keys/orders/{order.order_id}", {"step": "resume"}).status_code == 302
    run_worker(once=True)
    assert orders.find(order.order_id).state is OrderState.FINISHED
    assert "证明：剩余" in maker.get("/keys/jobs").content.decode()
    through(kind="keys.destroy_domain", subject=IDENTITY, number="1")
    page = maker.get("/keys/").content.decode()
    assert "已销毁" in page
    assert [secret for secret in secrets_of(system) if secret in page] == []


def people_waiting(people: People) -> str:
    from kuimen.gate.approvals import services as approvals

    (ticket,) = approvals.waiting_for(people.checker)
    return str(ticket.ticket_id)


NONSENSE: list[tuple[dict[str, str], int]] = [
    ({"kind": "keys.rewrap"}, 422),
    ({"kind": "keys.unlock", "subject": IDENTITY}, 422),
    ({"kind": "keys.rewrap", "subject": "everything"}, 422),
    ({"kind": "keys.destroy_domain", "subject": IDENTITY, "number": "⑴"}, 422),
    ({"kind": "keys.destroy_domain", "subject": IDENTITY, "number": "9" * 30}, 422),
    ({"kind": "keys.destroy_domain", "subject": IDENTITY, "number": "7"}, 404),
    ({"kind": "vault.merge", "merged": "x", "survivor": "y"}, 422),
    ({"kind": "keys.rewrap", "subject": "adverse_item"}, 404),
    ({"kind": "keys.rotate_domain", "subject": IDENTITY, "reason": " "}, 422),
]


def test_nonsense_in_the_form_is_refused_by_name(system: System) -> None:
    maker = browser(appoint_officers(), "S0001")
    for form, status in NONSENSE:
        assert maker.post("/keys/apply", {"step": "ask", "reason": "试试", **form}).status_code == status, form


def test_a_key_past_its_period_and_a_root_that_is_gone_are_never_shown_as_well(system: System) -> None:
    people = appoint_officers()
    system.clock.advance(CRYPTO_PERIOD)
    officer = browser(people, "S0001")
    page = officer.get("/keys/").content.decode()
    assert "已逾期，请轮换" in page
    away = system.home.root_key.rename(system.home.root_key.with_suffix(".away"))
    try:
        page = officer.get("/keys/").content.decode()
    finally:
        away.rename(system.home.root_key)
    assert "根密钥文件缺失" in page
    assert "文件缺失" in page


def test_only_custodians_and_officers_see_the_keys_and_refusals_are_on_record(system: System) -> None:
    people = appoint_officers()
    people.hire("C0001", Role.COLLECTOR)
    outsider, officer = signed_in(people, "C0001"), signed_in(people, "S0001")
    body = {"kind": "keys.rotate_domain", "subject": IDENTITY, "reason": "想换"}
    problem_of(outsider.get("/keys"), 403)
    problem_of(outsider.get("/keys/plan", kind="keys.rewrap", subject=IDENTITY), 403)
    problem_of(outsider.post("/keys/applications", body), 403)
    problem_of(outsider.post(f"/keys/orders/{uuid4()}/pause"), 403)
    assert Entry.objects.filter(actor="C0001", outcome="refused", action__startswith="keys.").count() == 4
    assert browser(people, "C0001", ahead=1).get("/keys/").status_code == 403
    found = officer.get("/keys").json()
    assert found["keys"]["root"]["unlocked_here"] is True
    text = json.dumps(found)
    assert [secret for secret in secrets_of(system) if secret in text] == []


def test_the_api_goes_the_whole_way(system: System) -> None:
    people = appoint_officers()
    keys.keyring().person_keys([uuid4() for _ in range(5)], RetentionClass.IDENTITY_TRANSACTION)
    maker, checker = (signed_in(people, staff_no) for staff_no in OFFICERS)
    for kind in ("keys.rotate_domain", "keys.rewrap"):
        applied = maker.post("/keys/applications", {"kind": kind, "subject": IDENTITY, "reason": "年度轮换"})
        ticket = applied.json()["ticket_id"]
        path = f"/keys/applications/{ticket}/carry-out"
        problem_of(maker.post(path), 409)
        problem_of(maker.post(f"/approvals/{ticket}/approve"), 403)
        checker.post(f"/approvals/{ticket}/approve")
        problem_of(checker.post(path), 403)
        answer = maker.post(path, {"rows_per_second": 1000}).json()
    order = answer["order_id"]
    assert answer["state"] == "open"
    assert maker.get("/keys/plan", kind="keys.rewrap", subject=IDENTITY).json()["to_do"] == 6
    assert checker.post(f"/keys/orders/{order}/pause").json()["state"] == "paused"
    problem_of(checker.post(f"/keys/orders/{order}/pause"), 409)
    assert maker.post(f"/keys/orders/{order}/resume").json()["state"] == "open"
    run_worker(once=True)
    (found,) = maker.get("/keys").json()["keys"]["orders"]
    assert (found["state"], found["report"]["left"]) == ("finished", 0)
    problem_of(maker.get("/keys/plan", kind="nonsense", subject="x"), 422)
    problem_of(maker.post(f"/keys/orders/{uuid4()}/pause"), 404)
