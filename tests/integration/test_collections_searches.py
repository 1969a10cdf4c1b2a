"""Searching by a number or a part of one: only with the named grant, masked, capped, counted, on record."""

import html
import json
from uuid import UUID, uuid4

import pytest
from django.test import Client

from fixtures.calling import CLEAR, Caller, problem_of, signed_in
from fixtures.collecting import AGENCY, Department, give, open_department
from fixtures.disclosing import World
from fixtures.installed import System
from fixtures.people import PASSWORD
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import services as access
from kuimen.gate.access.errors import DutySeparationError
from kuimen.gate.access.rules import Role, Subject
from kuimen.gate.access.services.reading import grants_seen_by
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure import services as disclosure
from kuimen.gate.disclosure.errors import (
    DisclosureInputError,
    PeopleQuotaError,
    PolicyRefusedError,
    SearchQuotaError,
)
from kuimen.gate.disclosure.models import DailyUse, Disclosure, Lookup
from kuimen.gate.disclosure.rules import MOST_FOUND
from kuimen.gate.disclosure.services.searching import Question
from kuimen.gate.vault import services as vault
from kuimen.gate.vault.errors import PartNotSearchableError
from kuimen.gate.vault.part_rules import IndexName, Part
from kuimen.gate.vault.parts import building
from kuimen.kernels.elements import Element
from kuimen.scenarios.collections import services

OTHERS = 1_100
SEARCHER = Subject(staff_no="Q0001", display_name="检索甲", roles=frozenset({Role.SEARCHER}), mfa=True)
WHY = "handle_complaint"


def seal_others() -> None:
    """Seal customers of other departments, so that there are enough people for an index of parts."""
    vault.seal_many(
        [
            vault.SealItem(
                element=Element.MOBILE,
                value=Sensitive(f"1999000{8_000 + number:04}", element="mobile"),
                source_id="other_lender",
                source_table="core.t_cust_info",
                source_column="mobile",
                source_key=number.to_bytes(32, "big"),
                person_ref=uuid4(),
            )
            for number in range(OTHERS)
        ]
    )


@pytest.fixture
def department(system: System) -> Department:
    made = open_department(each=1)
    seal_others()
    name = IndexName(element=Element.MOBILE, part=Part.LAST_FOUR)
    ticket = building.ask_to_build(name, maker=made.people.maker, reason="客服按尾号核对来电")
    approvals.approve(ticket.ticket_id, checker=made.people.checker)
    building.build(name, ticket_id=ticket.ticket_id, actor=made.people.maker)
    return made


def search(subject: Subject, text: str, *, part: Part = Part.LAST_FOUR) -> services.FoundCases:
    said = Sensitive(text, element="mobile")
    return services.search_cases(subject, element=Element.MOBILE, part=part, said=said, reason_code=WHY)


def facts_of(view_id: UUID) -> dict[str, object]:
    return dict(json.loads(bytes(Entry.objects.get(view_id=view_id).body))["facts"])


@pytest.mark.clause("CQJR-5.4-d")
def test_who_was_granted_finds_the_case_masked_and_the_record_holds_no_sign_of_what_was_typed(
    department: Department,
) -> None:
    searcher = department.people.hire("Q0001", Role.SEARCHER)
    case_id = department.cases[0]
    give(department, case_id, "C0001")
    mobile = department.identity_of(case_id).mobile
    for text, part in ((mobile[-4:], Part.LAST_FOUR), (mobile, Part.WHOLE)):
        found = search(searcher, text, part=part)
        assert [case.case_id for case in found.cases] == [case_id]
        assert found.cases[0].assignee == "C0001"
        assert found.masked[case_id][Element.MOBILE] == f"199****{mobile[-4:]}"
        assert "*" in found.masked[case_id][Element.PERSON_NAME]
        facts = facts_of(found.result.view_id)
        assert (facts["element"], facts["part"], facts["reason_code"], facts["found"]) == ("mobile", part, WHY, 1)
        assert Disclosure.objects.get(view_id=found.result.view_id).rows == 1
    nobody = search(searcher, "8005")  # a customer of another department: no case leads there
    assert (nobody.cases, nobody.result.more, nobody.result.remaining_today) == ((), False, 27)
    assert Lookup.objects.filter(staff_no="Q0001").count() == 1
    for entry in Entry.objects.filter(action="disclosure.search"):
        facts = json.loads(bytes(entry.body))["facts"]
        assert not CLEAR.search(bytes(entry.body).decode())
        assert mobile[-4:] not in json.dumps({name: told for name, told in facts.items() if name != "customers"})


def test_without_the_grant_everybody_is_refused_and_outsourced_staff_cannot_even_get_it(
    department: Department,
) -> None:
    mobile = department.identity_of(department.cases[0]).mobile
    for person in (department.collector, department.leader, department.agent, department.people.maker):
        with pytest.raises(PolicyRefusedError):
            search(person, mobile[-4:])
    refusals = Entry.objects.filter(action="disclosure.search", outcome="refused")
    assert {entry.actor for entry in refusals} == {"C0001", "T0001", "A0001", department.people.maker.staff_no}
    assert not DailyUse.objects.filter(searches__gt=0).exists()
    with pytest.raises(DutySeparationError):
        department.people.hire("A0002", Role.SEARCHER, agency=AGENCY)
    searcher = department.people.hire("Q0001", Role.SEARCHER)
    assert search(searcher, mobile[-4:]).cases
    grant = grants_seen_by(searcher)[0]
    access.revoke_grant(grant.grant_id, officer=department.people.checker, reason="岗位调整")
    with pytest.raises(PolicyRefusedError):
        search(department.people.subject("Q0001"), mobile[-4:])


@pytest.fixture
def world(system: System) -> World:
    return World(system)


def ask(world: World, text: str, *, element: Element = Element.EMAIL, part: str = "whole", purpose: str = "collection",
        subject: Subject = SEARCHER) -> disclosure.SearchResult:  # fmt: skip
    return disclosure.search(
        subject,
        Question(element=element, part=part, said=Sensitive(text, element=element.value), reason_code=WHY),
        purpose=purpose,
        object_type="case_search",
        object_ref="all",
        narrow=sorted,
        elements=(Element.PERSON_NAME, Element.MOBILE),
    )


@pytest.fixture
def unbounded(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A search whose bounds hold every customer of this world."""
    from kuimen.gate.access.rules import Resource
    from kuimen.gate.disclosure import scope

    bounds = Resource(kind="case_search", ref="all")
    monkeypatch.setitem(scope._scopes, "case_search", lambda _subject, _ref, _customers: bounds)
    return world


def test_a_search_shows_a_page_at_most_and_nobody_without_a_legal_basis(unbounded: World) -> None:
    shared = "front.desk@example.invalid"
    for ref in [*unbounded.customers(MOST_FOUND + 5), *unbounded.customers(3, basis=False)]:
        unbounded.seal(ref, Element.EMAIL, shared)
    found = ask(unbounded, shared.upper())
    assert (len(found.values), found.more, found.withheld) == (MOST_FOUND, True, 3)
    assert all("*" in masked[Element.MOBILE] for masked in found.values.values())
    assert facts_of(found.view_id)["found"] == MOST_FOUND + 5
    # whoever was seen today costs nothing, and beyond the day's people nobody is told, not even that somebody fits
    with unbounded.owner() as owner:
        owner.execute(
            "INSERT INTO disclosure_lookup (staff_no, day, customer_ref)"
            " SELECT 'Q0001', day, gen_random_uuid() FROM disclosure_lookup CROSS JOIN generate_series(1, 79) LIMIT 79"
        )
    assert len(ask(unbounded, shared).values) == MOST_FOUND
    (newcomer,) = unbounded.customers(1)
    unbounded.seal(newcomer, Element.EMAIL, "other@example.invalid")
    assert list(ask(unbounded, "other@example.invalid").values) == [newcomer]
    for text in ("other@example.invalid", "nobody@example.invalid"):
        with pytest.raises(PeopleQuotaError):
            ask(unbounded, text)


def test_searches_that_find_nobody_count_and_the_last_one_alerts(unbounded: World) -> None:
    for left in range(29, -1, -1):
        assert ask(unbounded, "nobody@example.invalid").remaining_today == left
    with pytest.raises(SearchQuotaError) as caught:
        ask(unbounded, "nobody@example.invalid")
    assert caught.value.retry_after_seconds
    alerts = [json.loads(bytes(entry.body))["facts"] for entry in Entry.objects.filter(action="disclosure.alert")]
    assert [facts["alert"] for facts in alerts] == ["search_quota"]
    assert DailyUse.objects.get(staff_no="Q0001").searches == 30


def test_what_policy_does_not_name_is_refused_before_anything_is_looked_for(unbounded: World) -> None:
    with pytest.raises(PolicyRefusedError):
        ask(unbounded, "王", element=Element.PERSON_NAME, part="surname")
    with pytest.raises(PolicyRefusedError):
        ask(unbounded, "a@example.invalid", purpose="marketing")
    with pytest.raises(DisclosureInputError, match="part"):
        ask(unbounded, "a@example.invalid", part="middle")
    with pytest.raises(DisclosureInputError, match="text"):
        ask(unbounded, "a" * 65)
    with pytest.raises(PartNotSearchableError, match="no index"):
        ask(unbounded, "1234", element=Element.MOBILE, part="last_four")
    assert Entry.objects.filter(action="disclosure.search", outcome="refused").count() == 5
    assert not DailyUse.objects.exists()


def test_the_api_answers_masked_and_refuses_by_name(department: Department) -> None:
    department.people.hire("Q0001", Role.SEARCHER)
    mobile = department.identity_of(department.cases[0]).mobile
    asked = {"element": "mobile", "part": "last_four", "text": mobile[-4:], "reason_code": WHY}
    api = signed_in(department.people, "Q0001")
    answer = api.post("/collections/cases/search", asked)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    body = answer.json()
    assert [item["case_id"] for item in body["items"]] == [str(department.cases[0])]
    assert (body["more"], body["withheld"], body["remaining_today"]) == (False, 0, 29)
    assert not CLEAR.search(answer.content.decode())
    short = problem_of(
        api.post("/collections/cases/search", {**asked, "text": "123"}), 422, "vault.part_not_searchable"
    )
    assert "123" not in short["detail"].replace("exactly 4", "")
    collector = signed_in(department.people, "C0001")
    problem_of(collector.post("/collections/cases/search", asked), 403, "disclosure.policy_refused")
    problem_of(Caller().post("/collections/cases/search", asked), 401)


def test_the_page_is_offered_to_who_may_and_finds_without_putting_the_number_into_an_address(
    department: Department,
) -> None:
    department.people.hire("Q0001", Role.SEARCHER)
    mobile = department.identity_of(department.cases[0]).mobile
    pages = {}
    for staff_no in ("Q0001", "C0001"):
        client = Client(raise_request_exception=False)
        client.post("/accounts/login/", {"login": staff_no, "password": PASSWORD})
        client.post("/accounts/2fa/authenticate/", {"code": department.people.code(staff_no)})
        pages[staff_no] = client
    assert 'id="to-search"' in pages["Q0001"].get("/cases/").content.decode()
    assert 'id="to-search"' not in pages["C0001"].get("/cases/").content.decode()
    assert pages["C0001"].get("/cases/search").status_code == 403
    offered = html.unescape(pages["Q0001"].get("/cases/search").content.decode())
    assert "mobile/last_four" in offered
    assert "resident_id/last_four" not in offered  # no index of it stands
    form = {"by": "mobile/last_four", "text": mobile[-4:], "reason_code": WHY}
    found = pages["Q0001"].post("/cases/search", form)
    text = found.content.decode()
    assert found.status_code == 200
    assert f"199****{mobile[-4:]}" in text
    assert mobile not in text
    assert "今日剩余查找次数" in text
    assert f'value="{mobile[-4:]}"' not in text
    wrong = pages["Q0001"].post("/cases/search", {**form, "text": "12"})
    assert wrong.status_code == 422
    assert "后四位须恰好四位" in wrong.content.decode()
    assert pages["Q0001"].post("/cases/search", {**form, "by": "person_name/surname"}).status_code == 422
