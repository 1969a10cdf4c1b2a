"""Rules, plans and customer texts: drafted by one, approved by another, reviewed in time; and the probes see it."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from uuid import UUID

import psycopg
import pytest

from fixtures.at_once import at_once
from fixtures.installed import System
from fixtures.people import OFFICERS, People, appoint_officers
from kuimen.foundation import clock
from kuimen.gate.access.errors import DutySeparationError, NotPermittedError
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import Role
from kuimen.gate.audit.models import Entry
from kuimen.gate.consent import services as consent
from kuimen.gate.consent.errors import ConsentNotFoundError
from kuimen.governance.documents import controls, services
from kuimen.governance.documents.errors import (
    DraftWaitsError,
    TextInputError,
    TextNotFoundError,
    TextTransitionError,
)
from kuimen.governance.documents.models import ControlledText
from kuimen.governance.documents.rules import (
    EVENT_SCENARIOS,
    POLICY_DOMAINS,
    TEXT_TRANSITIONS,
    TextEvent,
    TextKind,
    TextState,
    Topic,
)
from kuimen.governance.documents.services import Draft
from kuimen.standard import Outcome, ProbeContext, ProbeResult

BODY = (
    "一、目的与范围。二、职责分工。三、具体要求。四、检查与考核。五、附则。本文本仅供测试,每年复审一次,由责任岗位维护。"
)
CLAUSES = ("CQJR-6.1-b", "CQJR-6.2-a", "CQJR-6.5-a", "CQJR-6.7-a", "CQJR-6.7-c")


@pytest.fixture
def people(system: System) -> People:
    return appoint_officers()


def draft(code: str, kind: TextKind, *topics: Topic, days: int = 300, body: str = BODY) -> Draft:
    return Draft(
        kind=kind, code=code, title=f"{code} 文本", body=body, topics=topics, owner_post="security",
        review_by=clock.today() + timedelta(days=days),
    )  # fmt: skip


def release(people: People, given: Draft) -> UUID:
    text_id = services.draft_text(given, author=people.maker)
    services.approve_text(text_id, officer=people.checker)
    return text_id


def release_all(people: People) -> None:
    for given in (
        draft("security-policy", TextKind.POLICY, *POLICY_DOMAINS, Topic.CLASSIFICATION, Topic.CONTINUITY),
        draft("grading-rules", TextKind.PROCEDURE, Topic.CLASSIFICATION),
        draft("log-rules", TextKind.PROCEDURE, Topic.LOGS),
        draft("event-plan", TextKind.PLAN, *EVENT_SCENARIOS),
    ):
        release(people, given)


def look(system: System) -> dict[str, ProbeResult]:
    context = ProbeContext(at=system.clock.now())
    return {
        "CQJR-6.1-b": controls.policies_form_a_system(context),
        "CQJR-6.2-a": controls.classification_has_policy_and_rules(context),
        "CQJR-6.5-a": controls.logs_have_operating_rules(context),
        "CQJR-6.7-a": controls.continuity_has_a_policy(context),
        "CQJR-6.7-c": controls.plans_cover_every_scenario(context),
    }


def refuted(system: System) -> set[str]:
    return {clause for clause, result in look(system).items() if result.outcome is Outcome.REFUTED}


def state_of(text_id: UUID) -> str:
    return str(ControlledText.objects.get(text_id=text_id).state)


def test_nothing_is_in_force_before_another_person_approved(people: People) -> None:
    text_id = services.draft_text(draft("log-rules", TextKind.PROCEDURE, Topic.LOGS), author=people.maker)
    with pytest.raises(DutySeparationError):
        services.approve_text(text_id, officer=people.maker)
    assert state_of(text_id) == TextState.DRAFTED
    assert services.approve_text(text_id, officer=people.checker) is TextState.IN_FORCE
    assert Entry.objects.filter(action="document.approve", outcome="refused").count() == 1


def test_a_new_version_supersedes_the_one_before(people: People) -> None:
    first = release(people, draft("log-rules", TextKind.PROCEDURE, Topic.LOGS))
    second = release(people, draft("log-rules", TextKind.PROCEDURE, Topic.LOGS, body=BODY + "第二版。"))
    assert state_of(first) == TextState.SUPERSEDED
    view = services.text_seen_by(people.checker, second)
    assert (view.version, view.state) == (2, TextState.IN_FORCE)
    assert [row.version for row in services.texts_seen_by(people.checker)] == [2, 1]


@pytest.mark.clause("CQJR-5.2-c")
def test_a_customer_text_is_published_with_its_approval_and_not_before(people: People) -> None:
    given = draft("marketing-consent", TextKind.CUSTOMER_TEXT, Topic.CONSENT)
    text_id = services.draft_text(given, author=people.maker)
    with pytest.raises(ConsentNotFoundError):
        consent.current_document("marketing-consent")
    services.approve_text(text_id, officer=people.checker)
    assert consent.current_document("marketing-consent").body == BODY
    with pytest.raises(DutySeparationError):
        consent.publish_document(
            "marketing-consent", title="题", body=BODY, officer=people.maker, drafted_by=OFFICERS[0]
        )


def test_every_state_and_event_follows_the_table(people: People) -> None:
    maker, checker = people.maker, people.checker
    calls: dict[TextEvent, Callable[[UUID], TextState]] = {
        TextEvent.APPROVE: lambda ref: services.approve_text(ref, officer=checker),
        TextEvent.REFUSE: lambda ref: services.refuse_text(ref, officer=checker, reason="不完整"),
        TextEvent.REPEAL: lambda ref: services.repeal_text(ref, officer=checker, reason="不再适用"),
        TextEvent.WITHDRAW: lambda ref: services.withdraw_text(ref, author=maker),
    }
    for number, (state, event) in enumerate(product(TextState, calls)):
        text_id = services.draft_text(draft(f"text-{number}", TextKind.POLICY, Topic.DATA), author=maker)
        decided = None if state in {TextState.DRAFTED, TextState.WITHDRAWN} else Staff.objects.get(staff_no=OFFICERS[1])
        ControlledText.objects.filter(text_id=text_id).update(state=state.value, decided_by=decided)
        after = TEXT_TRANSITIONS.get((state, event))
        if after is not None:
            assert calls[event](text_id) is after
            continue
        with pytest.raises(TextTransitionError):
            calls[event](text_id)
        assert state_of(text_id) == state.value


def test_of_two_approvals_at_once_one_wins(people: People) -> None:
    third = people.hire("S0003", Role.SECURITY_OFFICER)
    text_id = services.draft_text(draft("log-rules", TextKind.PROCEDURE, Topic.LOGS), author=people.maker)
    checker = people.checker
    answers = at_once(
        lambda: services.approve_text(text_id, officer=checker), lambda: services.approve_text(text_id, officer=third)
    )
    assert sum(isinstance(answer, TextTransitionError) for answer in answers) == 1
    assert ControlledText.objects.filter(state=TextState.IN_FORCE.value).count() == 1


def test_bad_drafts_are_named_by_field(people: People) -> None:
    for given, field in (
        (draft("Log Rules", TextKind.PROCEDURE, Topic.LOGS), "code"),
        (draft("log-rules", TextKind.PROCEDURE), "topics"),
        (draft("log-rules", TextKind.PROCEDURE, Topic.LOGS, days=0), "review_by"),
        (draft("log-rules", TextKind.PROCEDURE, Topic.LOGS, days=400), "review_by"),
        (draft("log-rules", TextKind.PROCEDURE, Topic.LOGS, body="短"), "body"),
    ):
        with pytest.raises(TextInputError, match=field):
            services.draft_text(given, author=people.maker)
    services.draft_text(draft("log-rules", TextKind.PROCEDURE, Topic.LOGS), author=people.maker)
    with pytest.raises(DraftWaitsError):
        services.draft_text(draft("log-rules", TextKind.PROCEDURE, Topic.LOGS), author=people.maker)


def test_staff_read_and_acknowledge_and_nobody_else_drafts(people: People) -> None:
    text_id = release(people, draft("log-rules", TextKind.PROCEDURE, Topic.LOGS))
    collector = people.hire("C0001", Role.COLLECTOR)
    services.acknowledge(text_id, reader=collector)
    services.acknowledge(text_id, reader=collector)
    assert services.text_seen_by(collector, text_id).acknowledged == 1
    with pytest.raises(NotPermittedError):
        services.draft_text(draft("own-rules", TextKind.POLICY, Topic.DATA), author=collector)
    with pytest.raises(TextNotFoundError):
        services.text_seen_by(collector, UUID(int=1))


@pytest.mark.clause("CQJR-6.1-b", "CQJR-6.2-a", "CQJR-6.5-a", "CQJR-6.7-a", "CQJR-6.7-c")
def test_an_empty_register_proves_nothing_and_a_whole_one_holds(people: People, system: System) -> None:
    assert {result.outcome for result in look(system).values()} == {Outcome.INSUFFICIENT}
    release_all(people)
    assert {result.outcome for result in look(system).values()} == {Outcome.HOLDS}


@pytest.mark.planted_defect("CQJR-6.1-b", "CQJR-6.2-a", "CQJR-6.5-a", "CQJR-6.7-a", "CQJR-6.7-c")
@pytest.mark.clause("CQJR-6.1-b", "CQJR-6.2-a", "CQJR-6.5-a", "CQJR-6.7-a", "CQJR-6.7-c")
def test_altered_overdue_and_unapproved_texts_do_not_count(people: People, system: System) -> None:
    release_all(people)
    with system.connect("kuimen_owner") as owner:
        owner.execute("UPDATE documents_text SET body = body || '改'")
        assert refuted(system) == set(CLAUSES)
        owner.execute("UPDATE documents_text SET body = left(body, -1)")
        assert refuted(system) == set()
        owner.execute("ALTER TABLE documents_text DROP CONSTRAINT documents_text_four_eyes")
        owner.execute("UPDATE documents_text SET decided_by_id = drafted_by_id")
        assert refuted(system) == set(CLAUSES)
        owner.execute(
            "UPDATE documents_text SET decided_by_id = (SELECT id FROM access_staff WHERE staff_no = %s)",
            (OFFICERS[1],),
        )
    assert refuted(system) == set()
    system.clock.advance(timedelta(days=301))
    assert refuted(system) == set(CLAUSES)


@pytest.mark.planted_defect("CQJR-6.1-b", "CQJR-6.7-c")
def test_a_domain_or_scenario_left_out_is_found(people: People, system: System) -> None:
    release(people, draft("data-policy", TextKind.POLICY, Topic.DATA, Topic.NETWORK, Topic.APPLICATION))
    release(people, draft("event-plan", TextKind.PLAN, *EVENT_SCENARIOS[:-1]))
    assert refuted(system) == {"CQJR-6.1-b", "CQJR-6.7-c"}
    assert look(system)["CQJR-6.1-b"].observations[0].facts["missing"] == "physical"


def test_the_database_keeps_texts_and_the_four_eyes(people: People, system: System) -> None:
    release(people, draft("log-rules", TextKind.PROCEDURE, Topic.LOGS))
    for statement in (
        b"DELETE FROM documents_text",
        b"UPDATE documents_text SET decided_by_id = drafted_by_id",
        b"UPDATE documents_text SET decided_by_id = NULL",
    ):
        with system.connect() as application, pytest.raises(psycopg.Error):
            application.execute(statement)
