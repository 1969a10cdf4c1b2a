"""A collector at the API: everything masked, one field against a reason, every refusal named and nothing leaked."""

from dataclasses import dataclass
from uuid import uuid4

import pytest
from django.db import connection

from fixtures.calling import CLEAR, Caller, problem_of, signed_in
from fixtures.collecting import AGENCY, Department, open_department
from fixtures.installed import System
from kuimen.gate.access.rules import Role
from kuimen.gate.audit.models import Entry
from kuimen.kernels.elements.fictitious import FictitiousIdentity
from kuimen.scenarios.collections import services

WHY = {"reason_code": "verify_identity", "reason": "客户对登记信息有异议"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A collector's desk: own cases, a case of another agency, a case of nobody."""

    api: Caller
    department: Department
    own: tuple[str, str]
    foreign: str
    nobodys: str

    @property
    def customer(self) -> FictitiousIdentity:
        return self.department.identity_of(self.department.cases[0])


@pytest.fixture
def desk(system: System) -> Desk:
    made = open_department(each=2)
    cases = made.cases
    for case_id, holder in ((cases[0], "A0001"), (cases[1], "A0001"), (cases[2], "R0001")):
        services.assign(made.leader, case_id, assignee=holder)
    return Desk(
        api=signed_in(made.people, "A0001"),
        department=made,
        own=(str(cases[0]), str(cases[1])),
        foreign=str(cases[2]),
        nobodys=str(cases[3]),
    )


def reveal(desk: Desk, case: str, *, key: str = "", **body: str) -> object:
    return desk.api.post(f"/collections/cases/{case}/reveal", {"element": "mobile", **WHY, **body}, key=key)


@pytest.mark.clause("CQJR-5.4-d")
def test_list_and_case_are_masked_watermarked_and_not_cached(desk: Desk) -> None:
    listed = desk.api.get("/collections/cases")
    opened = desk.api.get(f"/collections/cases/{desk.own[0]}")

    assert {item["case_id"] for item in listed.json()["items"]} == set(desk.own)
    for answer in (listed, opened):
        assert answer["Cache-Control"] == "no-store"
        assert not CLEAR.search(answer.content.decode())
        assert Entry.objects.filter(view_id=answer.json()["view_id"], actor="A0001").count() == 1
    masked = opened.json()["masked"]
    assert masked["mobile"].startswith("199")
    assert masked["mobile"] != desk.customer.mobile
    assert masked["mobile"][-4:] == desk.customer.mobile[-4:]


def test_a_challenge_answers_match_or_not_and_never_the_value(desk: Desk) -> None:
    where = f"/collections/cases/{desk.own[0]}/challenge"

    wrong = desk.api.post(where, {"element": "resident_id", "answer": "0000"})
    right = desk.api.post(where, {"element": "resident_id", "answer": desk.customer.resident_id[-4:]})

    assert wrong.json() == {"matched": False, "remaining_attempts": 2}
    assert right.json() == {"matched": True, "remaining_attempts": 2}
    bodies = " ".join(bytes(body).decode() for body in Entry.objects.values_list("body", flat=True))
    assert desk.customer.resident_id[-4:] not in bodies.replace(desk.own[0], "")


def test_three_wrong_answers_a_day_lock_the_challenge(desk: Desk) -> None:
    where = f"/collections/cases/{desk.own[0]}/challenge"
    for _ in range(3):
        assert desk.api.post(where, {"element": "resident_id", "answer": "0000"}).status_code == 200

    locked = desk.api.post(where, {"element": "resident_id", "answer": desk.customer.resident_id[-4:]})

    problem_of(locked, 429, "disclosure.challenge_locked")
    assert int(locked["Retry-After"]) == 14 * 3600, "until Shanghai's midnight"


@pytest.mark.clause("CQJR-5.4-d")
def test_one_field_is_revealed_with_a_reason_until_the_quota_is_used_up(desk: Desk) -> None:
    first = reveal(desk, desk.own[0])

    assert first.json()["value"] == desk.customer.mobile
    assert first.json()["remaining_today"] == 9
    assert first["Cache-Control"] == "no-store"
    for _ in range(9):
        assert reveal(desk, desk.own[1]).status_code == 200
    beyond = reveal(desk, desk.own[1])
    problem_of(beyond, 429, "disclosure.reveal_quota")
    assert 0 < int(beyond["Retry-After"]) <= 24 * 3600
    assert Entry.objects.filter(action="disclosure.reveal", outcome="refused", actor="A0001").count() == 1
    assert Entry.objects.filter(action__startswith="disclosure.", action__endswith="alert").count() == 1


def test_the_same_reveal_sent_twice_is_one_disclosure(desk: Desk) -> None:
    key = uuid4().hex

    first, second = reveal(desk, desk.own[0], key=key), reveal(desk, desk.own[0], key=key)

    assert first.json() == second.json()
    assert Entry.objects.filter(action="disclosure.reveal", outcome="done").count() == 1


def test_a_key_used_with_another_body_is_refused_and_shows_nothing(desk: Desk) -> None:
    key, step = uuid4().hex, f"/collections/cases/{desk.own[0]}/events"
    assert reveal(desk, desk.own[0], key=key).status_code == 200
    assert desk.api.post(step, {"event": "start_work"}, key=key).status_code == 200

    other_reveal = reveal(desk, desk.own[0], key=key, element="resident_id")
    other_step = desk.api.post(step, {"event": "promise"}, key=key)

    problem_of(other_reveal, 422, "api.idempotency_key_reused")
    problem_of(other_step, 422, "api.idempotency_key_reused")


def test_the_same_step_sent_twice_is_done_once(desk: Desk) -> None:
    key, step = uuid4().hex, f"/collections/cases/{desk.own[0]}/events"

    first = desk.api.post(step, {"event": "start_work"}, key=key)
    second = desk.api.post(step, {"event": "start_work"}, key=key)

    assert (first.status_code, second.status_code) == (200, 200)
    assert second.json() == {**first.json(), "replayed": True}
    assert Entry.objects.filter(action="case.step", outcome="done", object_ref=desk.own[0]).count() <= 2


@pytest.mark.parametrize("key", ["", "short", "x" * 129, "schlüssel-schlüssel"])
def test_a_command_without_a_usable_key_is_refused(desk: Desk, key: str) -> None:
    answer = desk.api.post(
        f"/collections/cases/{desk.own[0]}/events", {"event": "start_work"}, **{"Idempotency-Key": key}
    )

    problem_of(answer, 422, "api.idempotency_key")


@pytest.mark.clause("CQJR-5.4-e")
@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("reveal", {"element": "mobile", **WHY, "phone": "19990001234"}),
        ("reveal", {"element": "19990001234", **WHY}),
        ("challenge", {"element": "mobile", "answer": "1234", "to": "19990001234"}),
        ("challenge", {"element": "mobile", "answer": "19990001234"}),
        ("events", {"event": "start_work", "note": "19990001234"}),
        ("events", {"event": "19990001234"}),
    ],
)
def test_a_literal_number_has_nowhere_to_go_and_is_not_echoed(desk: Desk, command: str, body: dict[str, str]) -> None:
    answer = desk.api.post(f"/collections/cases/{desk.own[0]}/{command}", body)

    assert "19990001234" not in str(problem_of(answer, 422))


def test_a_number_inside_the_reason_is_refused_and_not_recorded(desk: Desk) -> None:
    answer = reveal(desk, desk.own[0], reason="客户新号码19990001234")

    problem_of(answer, 422, "disclosure.reason_missing")
    assert not [body for body in Entry.objects.values_list("body", flat=True) if b"19990001234" in bytes(body)]


@pytest.mark.clause("CQJR-5.4-c")
def test_another_agencys_case_does_not_exist_by_any_route(desk: Desk) -> None:
    for case in (desk.foreign, desk.nobodys, str(uuid4())):
        problem_of(desk.api.get(f"/collections/cases/{case}"), 404, "collections.not_found")
        problem_of(desk.api.post(f"/collections/cases/{case}/events", {"event": "start_work"}), 404)
        challenge = {"element": "mobile", "answer": "0000"}
        problem_of(desk.api.post(f"/collections/cases/{case}/challenge", challenge), 404)
        problem_of(reveal(desk, case), 404)


def test_what_the_post_does_not_give_is_forbidden_and_recorded(desk: Desk) -> None:
    forbidden = [
        desk.api.get("/audit/entries"),
        desk.api.get("/audit/risks", since="2026-01-01T00:00:00Z", before="2026-02-01T00:00:00Z"),
        desk.api.get("/inventory/summary"),
        desk.api.get("/inventory/assets"),
        desk.api.post("/assessments"),
        desk.api.get("/assessments/latest"),
        desk.api.post(f"/grants/{uuid4()}/revoke", {"reason": "不再需要"}),
    ]

    for answer in forbidden:
        problem_of(answer, 403)
    assert Entry.objects.filter(actor="A0001", outcome="refused").count() >= len(forbidden)


def test_a_step_the_table_does_not_allow_changes_nothing_and_is_recorded(desk: Desk) -> None:
    case = f"/collections/cases/{desk.own[0]}"
    before = desk.api.get(case).json()["state"]

    answer = desk.api.post(f"{case}/events", {"event": "close"})

    problem_of(answer, 409, "collections.transition")
    assert desk.api.get(case).json()["state"] == before
    assert Entry.objects.filter(action="case.step", outcome="refused", object_ref=desk.own[0]).count() == 1


@pytest.mark.clause("CQJR-5.4-a")
def test_a_case_of_a_loan_that_is_not_overdue_is_refused(desk: Desk) -> None:
    from kuimen.ledger.loans.models import Loan

    importer = desk.department.people.hire("B0002", Role.IMPORTER)
    current = Loan.objects.filter(status="normal").values_list("loan_ref", flat=True)[0]

    answer = signed_in(desk.department.people, importer.staff_no).post("/collections/cases", {"loan_ref": str(current)})

    problem_of(answer, 409, "collections.loan_not_overdue")


@pytest.mark.clause("CQJR-5.4-d")
def test_no_route_shows_a_collector_a_number(desk: Desk) -> None:
    routes = desk.api.get("/openapi.json").json()["paths"]
    identities = desk.department.identities.values()
    known = {value for one in identities for value in (one.mobile, one.resident_id, one.bank_card, one.person_name)}
    for route, methods in routes.items():
        path = route.removeprefix("/api/v1")
        for name in ("case_id", "entry_id", "view_id", "assessment_id", "judgement_id", "grant_id", "ticket_id"):
            path = path.replace("{" + name + "}", desk.own[0] if name == "case_id" else str(uuid4()))
        for method in methods:
            if path.endswith("/session") and method == "delete":
                continue
            answer = desk.api.get(path) if method == "get" else desk.api.post(path, {"element": "mobile", **WHY})
            text = answer.content.decode()
            assert answer.status_code < 500, (method, path)
            assert answer["Cache-Control"] == "no-store", path
            if path.endswith("/reveal"):
                text = text.replace(answer.json()["value"], "")
            assert not CLEAR.search(text), (method, path)
            assert not [value for value in known if value in text], (method, path)


def test_what_the_framework_refuses_is_a_problem_too(desk: Desk) -> None:
    problem_of(desk.api.get("/no/such/route"), 404, "request.no_such_route")
    assert problem_of(desk.api.delete("/collections/cases"), 405, "request.method")
    problem_of(desk.api.get("/collections/cases/19990001234"), 422, "request.malformed")
    problem_of(Caller().get("/collections/cases"), 401, "request.unauthenticated")
    problem_of(Caller("kuimen_made-up").get("/collections/cases"), 401)
    broken = desk.api._client.post(
        f"/api/v1/collections/cases/{desk.own[0]}/events",
        '{"event": "19990001234',
        content_type="application/json",
        headers={**desk.api._headers, "Idempotency-Key": "k" * 16},
    )
    problem_of(broken, 400)


def test_agencies_see_their_rows_even_when_the_query_forgets_to_ask(desk: Desk) -> None:
    listed = desk.api.get("/collections/cases", page="1", state="assigned")

    assert {item["agency"] for item in listed.json()["items"]} == {AGENCY}
    connection.close()
