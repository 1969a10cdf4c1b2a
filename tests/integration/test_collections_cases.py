"""Cases begin and end with the ledger, move by the table, and are seen by those who hold them."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from fixtures.at_once import at_once
from fixtures.collecting import AGENCY, CODE, WHY, Department, case_of, give, open_department
from fixtures.installed import System
from fixtures.loans import changed, import_rows
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import scope
from kuimen.gate.access.errors import NotPermittedError
from kuimen.gate.access.rules import Role, Subject
from kuimen.gate.audit.models import Entry
from kuimen.kernels.elements.model import Element
from kuimen.ledger.loans.models import Loan
from kuimen.ledger.loans.rules import STATUS_TABLE, LoanStatus
from kuimen.scenarios.collections import services
from kuimen.scenarios.collections.errors import (
    AssigneeError,
    CaseExistsError,
    CaseInputError,
    CaseNotFoundError,
    CaseTransitionError,
    LoanNotOverdueError,
    NoContractBasisError,
)
from kuimen.scenarios.collections.models import Assignment, Case, Transition
from kuimen.scenarios.collections.rules import (
    EVENTS_WITH_DETAILS,
    HELD_STATES,
    CaseEvent,
    CaseState,
    HoldReason,
    next_state,
)


@pytest.fixture
def department(system: System) -> Department:
    return open_department()


@pytest.mark.clause("CQJR-5.4-a")
def test_every_overdue_loan_and_no_other_has_a_case(department: Department) -> None:
    overdue = {row.key for row in department.rows if STATUS_TABLE[row.status].overdue}
    with scope.institution_wide():
        assert Counter(Case.objects.values_list("loan__source_key", flat=True)) == Counter(overdue)
        assert set(Case.objects.values_list("bucket", flat=True)) == {
            status.value for status, rule in STATUS_TABLE.items() if rule.overdue
        }


def test_a_second_build_does_nothing(department: Department) -> None:
    again = services.build_cases()
    assert (again.created, again.settled, again.open) == (0, 0, len(department.cases))


@pytest.mark.clause("CQJR-5.4-a")
def test_a_repaid_loan_leaves_the_queue_with_the_next_build(department: Department) -> None:
    late = next(row for row in department.rows if row.status is LoanStatus.LATE_31_120)
    with scope.institution_wide():
        case_id = Case.objects.get(loan__source_key=late.key).case_ref
    give(department, case_id, "C0001")
    repaid = changed(late, status=LoanStatus.NORMAL)
    import_rows([repaid if row is late else row for row in department.rows])
    report = services.build_cases()
    assert (report.created, report.settled) == (0, 1)
    case = case_of(case_id)
    assert (case.state, case.assignee, case.agency_id) == (CaseState.SETTLED, "", None)
    with pytest.raises(CaseNotFoundError):
        services.open_case(department.collector, case_id)


def test_a_loan_that_ages_moves_its_case_to_the_next_bucket(department: Department) -> None:
    grace = next(row for row in department.rows if row.status is LoanStatus.GRACE)
    aged = changed(grace, status=LoanStatus.LATE_16_30)
    import_rows([aged if row is grace else row for row in department.rows])
    assert services.build_cases().created == 0
    with scope.institution_wide():
        assert Case.objects.get(loan__source_key=grace.key).bucket == LoanStatus.LATE_16_30


@pytest.mark.clause("CQJR-5.4-a")
def test_a_case_for_a_loan_in_order_is_a_conflict_and_recorded(department: Department) -> None:
    importer = department.people.hire("D0001", Role.IMPORTER)
    normal = Loan.objects.filter(status=LoanStatus.NORMAL.value).first()
    assert normal is not None
    with pytest.raises(LoanNotOverdueError):
        services.create_case(importer, normal.loan_ref)
    assert Entry.objects.filter(action="case.create", outcome="refused", object_ref=str(normal.loan_ref)).exists()
    overdue = Loan.objects.filter(status__overdue=True).first()
    assert overdue is not None
    with pytest.raises(CaseExistsError):
        services.create_case(importer, overdue.loan_ref)
    with pytest.raises(NotPermittedError):
        services.create_case(department.collector, overdue.loan_ref)


def test_an_overdue_loan_without_contract_gets_no_case(department: Department, system: System) -> None:
    importer = department.people.hire("D0001", Role.IMPORTER)
    row = next(row for row in department.rows if row.status is LoanStatus.GRACE)
    lost = replace(row, key="L-new", facility_key="F-new", customer_ref=uuid4(), digest=bytes(32))
    import_rows([*department.rows, lost])
    with system.connect("kuimen_owner") as owner:
        owner.execute("ALTER TABLE consent_basis DISABLE TRIGGER USER")
        owner.execute("DELETE FROM consent_basis WHERE customer_ref = %s", [lost.customer_ref])
    report = services.build_cases()
    assert (report.created, report.without_basis) == (0, 1)
    with pytest.raises(NoContractBasisError):
        services.create_case(importer, Loan.objects.get(source_key="L-new").loan_ref)


# Moving


def put_into(case_id: UUID, state: CaseState) -> None:
    """Set a state by hand, as no use case does."""
    held = state in HELD_STATES
    with scope.institution_wide():
        Case.objects.filter(case_ref=case_id).update(
            state=state.value,
            assignee="C0001" if held else "",
            until=date(2026, 12, 1) if held else None,
            hold_reason="dispute" if state is CaseState.HOLD else "",
        )


def attempt(department: Department, case_id: UUID, event: CaseEvent) -> None:
    if event is CaseEvent.ASSIGN:
        services.assign(department.leader, case_id, assignee="C0001")
    elif event is CaseEvent.HOLD:
        services.hold(department.leader, case_id, reason=HoldReason.DISPUTE)
    else:
        services.apply_event(department.leader, case_id, event)


@pytest.mark.clause("CQJR-5.4-b")
def test_an_event_outside_the_table_leaves_the_case_as_it_was_and_is_recorded(department: Department) -> None:
    case_id = department.cases[0]
    refusals = 0
    for state, event in itertools.product(CaseState, CaseEvent):
        if next_state(state, event) is not None and event is not CaseEvent.SETTLE:
            continue
        put_into(case_id, state)
        with pytest.raises(CaseTransitionError):
            attempt(department, case_id, event)
        refusals += 1
        assert case_of(case_id).state == state
    assert not Transition.objects.filter(case_id=case_id).exists()
    refused = Entry.objects.filter(action="case.step", outcome="refused", object_ref=str(case_id))
    assert refused.count() == refusals


@pytest.mark.clause("CQJR-5.4-b")
def test_a_case_walks_through_its_life_and_every_step_is_recorded(department: Department) -> None:
    case_id = department.cases[0]
    give(department, case_id, "C0001")
    for event in (CaseEvent.START_WORK, CaseEvent.PROMISE, CaseEvent.BREAK_PROMISE, CaseEvent.START_WORK):
        services.apply_event(department.collector, case_id, event)
    services.hold(department.collector, case_id, reason=HoldReason.HARDSHIP)
    assert (case_of(case_id).state, case_of(case_id).assignee) == (CaseState.HOLD, "")
    released = services.apply_event(department.leader, case_id, CaseEvent.RELEASE)
    assert (released.state, released.assignee) == (CaseState.CREATED, "")
    steps = list(Transition.objects.filter(case_id=case_id).order_by("step"))
    assert [step.step for step in steps] == list(range(1, 8))
    for step in steps:
        entry = Entry.objects.get(entry_id=step.audit_entry)
        assert (entry.object_ref, entry.actor, entry.outcome) == (str(case_id), step.actor, "done")
    with scope.institution_wide():
        assert [(a.assignee, a.ended_by_event) for a in Assignment.objects.filter(case_id=case_id)] == [
            ("C0001", "hold")
        ]


def test_settling_belongs_to_the_ledger_and_details_to_their_own_commands(department: Department) -> None:
    with pytest.raises(CaseTransitionError):
        services.apply_event(department.leader, department.cases[0], CaseEvent.SETTLE)
    for event in EVENTS_WITH_DETAILS:
        with pytest.raises(CaseInputError):
            services.apply_event(department.leader, department.cases[0], event)


def test_steps_are_kept_by_the_database_itself(department: Department, system: System) -> None:
    give(department, department.cases[0], "C0001")
    for role in ("kuimen_app", "kuimen_owner"):
        with system.connect(role) as connection:
            for statement in (
                "DELETE FROM collections_transition",
                "UPDATE collections_transition SET event = 'close'",
                "TRUNCATE collections_case CASCADE",
            ):
                with pytest.raises(psycopg.Error):
                    connection.execute(statement)


# Dispatch


@pytest.mark.clause("CQJR-5.4-c")
def test_only_a_leader_dispatches_and_only_to_active_collectors(department: Department, system: System) -> None:
    case_id = department.cases[0]
    for assignee in ("T0001", "nobody", ""):
        with pytest.raises(AssigneeError):
            give(department, case_id, assignee)
    give(department, case_id, "C0001")
    with pytest.raises(NotPermittedError):
        services.recall(department.collector, case_id)
    with pytest.raises(CaseInputError):
        services.assign(
            department.leader,
            department.cases[1],
            assignee="C0001",
            until=system.clock.now().date() - timedelta(days=1),
        )
    assert case_of(department.cases[1]).state == CaseState.CREATED


def test_cases_are_dealt_out_evenly(department: Department) -> None:
    dealt = services.assign_evenly(department.leader, list(department.cases[:5]), assignees=["C0001", "A0001"])
    assert dealt == {"C0001": 3, "A0001": 2}
    assert services.waiting_cases(department.leader) == list(department.cases[5:])
    with pytest.raises(NotPermittedError):
        services.waiting_cases(department.collector)


def ways_to_ask(subject: Subject, case_id: UUID) -> tuple[Callable[[], object], ...]:
    said = Sensitive("0000", element="mobile")
    return (
        lambda: services.open_case(subject, case_id),
        lambda: services.apply_event(subject, case_id, CaseEvent.START_WORK),
        lambda: services.hold(subject, case_id, reason=HoldReason.DISPUTE),
        lambda: services.reveal(
            subject, case_id, element=Element.MOBILE, reason_code=CODE, reason=WHY, idempotency_key="key-000001"
        ),
        lambda: services.challenge(subject, case_id, element=Element.MOBILE, answer=said),
    )


@pytest.mark.clause("CQJR-5.4-c")
def test_another_agencys_case_does_not_exist(department: Department) -> None:
    mine, foreign = department.cases[:2]
    give(department, mine, "R0001")
    give(department, foreign, "A0001")
    assert [case.case_id for case in services.list_cases(department.rival).cases] == [mine]
    unknown = uuid4()
    messages = set()
    for case_id in (foreign, unknown):
        for ask in ways_to_ask(department.rival, case_id):
            with pytest.raises(CaseNotFoundError) as caught:
                ask()
            messages.add(str(caught.value))
    assert len(messages) == 1
    assert Entry.objects.filter(outcome="refused", object_ref=str(foreign)).count() == 5


@pytest.mark.clause("CQJR-5.4-c")
def test_row_level_security_holds_where_a_query_forgets(department: Department, system: System) -> None:
    give(department, department.cases[0], "A0001")
    with system.connect(autocommit=False) as connection:
        assert connection.execute("SELECT count(*) FROM collections_case").fetchone() == (0,)
        connection.execute("SELECT set_config('kuimen.scope', 'AG02', true)")
        assert connection.execute("SELECT count(*) FROM collections_case").fetchone() == (0,)
        connection.execute("SELECT set_config('kuimen.scope', %s, true)", [AGENCY])
        assert connection.execute("SELECT count(*) FROM collections_case").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM collections_assignment").fetchone() == (1,)
        connection.rollback()
        # A scope that has ended reads as empty text, and empty text must match no row.
        assert connection.execute("SELECT count(*) FROM collections_case").fetchone() == (0,)


@pytest.mark.clause("CQJR-5.4-c")
def test_a_recalled_case_is_gone_for_the_agency_at_once(department: Department) -> None:
    case_id = department.cases[0]
    give(department, case_id, "A0001")
    services.open_case(department.agent, case_id)
    services.recall(department.leader, case_id)
    with pytest.raises(CaseNotFoundError):
        services.open_case(department.agent, case_id)
    assert services.list_cases(department.agent).total == 0


def test_an_agency_may_stop_collecting_its_own_case(department: Department) -> None:
    case_id = department.cases[0]
    give(department, case_id, "A0001")
    services.hold(department.agent, case_id, reason=HoldReason.COMPLAINT)
    assert case_of(case_id).agency_id is None


def test_of_two_leaders_at_once_one_dispatches(department: Department) -> None:
    second = department.people.hire("T0002", Role.TEAM_LEADER)
    case_id = department.cases[0]
    outcomes = at_once(
        lambda: services.assign(department.leader, case_id, assignee="C0001"),
        lambda: services.assign(second, case_id, assignee="A0001"),
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CaseSummary", "CaseTransitionError"]
    with scope.institution_wide():
        assert Assignment.objects.filter(case_id=case_id).count() == 1


def test_two_builds_at_once_build_no_case_twice(department: Department) -> None:
    grace = next(row for row in department.rows if row.status is LoanStatus.NORMAL)
    import_rows([changed(row, status=LoanStatus.GRACE) if row is grace else row for row in department.rows])
    reports = at_once(services.build_cases, services.build_cases)
    assert sorted(report.created for report in reports if isinstance(report, services.BuildReport)) == [0, 1]
