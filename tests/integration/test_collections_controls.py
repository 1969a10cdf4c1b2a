"""The probes of collection see what is there, and see what was planted."""

from uuid import uuid4

import pytest

from fixtures.collecting import Department, open_department
from fixtures.installed import System
from kuimen.foundation import clock
from kuimen.gate.access import scope
from kuimen.kernels.elements.model import Element
from kuimen.ledger.loans.models import Loan
from kuimen.scenarios.collections import controls, services
from kuimen.scenarios.collections.rules import CaseEvent, RevealReason
from kuimen.standard import Outcome, ProbeContext, ProbeResult
from kuimen.standard.controls import Probe


@pytest.fixture
def department(system: System) -> Department:
    department = open_department(1)
    services.assign(department.leader, department.cases[0], assignee="C0001")
    services.apply_event(department.collector, department.cases[0], CaseEvent.START_WORK)
    services.open_case(department.collector, department.cases[0])
    services.reveal(
        department.collector,
        department.cases[0],
        element=Element.MOBILE,
        reason_code=RevealReason.VERIFY_IDENTITY,
        reason="客户对登记信息有异议，需核对",
        idempotency_key="key-000001",
    )
    return department


def look(probe: Probe) -> ProbeResult:
    with scope.institution_wide():
        return probe(ProbeContext(at=clock.now()))


def as_owner(system: System, statement: str, *arguments: object) -> None:
    """Do with the table owner's rights what no use case does; row-level security binds the owner as well."""
    with system.connect("kuimen_owner", autocommit=False) as owner:
        owner.execute("SELECT set_config('kuimen.scope', '*', true)")
        owner.execute(statement, arguments)


def test_a_department_in_order_holds(department: Department) -> None:
    for probe in (
        controls.cases_rest_on_overdue_loans,
        controls.case_states_equal_their_history,
        controls.case_pages_are_masked_and_traceable,
    ):
        result = look(probe)
        assert result.outcome is Outcome.HOLDS, result


def test_without_cases_there_is_nothing_to_conclude(system: System) -> None:
    for probe in (
        controls.cases_rest_on_overdue_loans,
        controls.case_states_equal_their_history,
        controls.case_pages_are_masked_and_traceable,
    ):
        assert look(probe).outcome is Outcome.INSUFFICIENT


@pytest.mark.planted_defect("CQJR-5.4-a")
@pytest.mark.clause("CQJR-5.4-a")
def test_a_case_planted_for_a_loan_in_order_is_found(department: Department, system: System) -> None:
    loan = Loan.objects.filter(status__overdue=False).first()
    assert loan is not None
    as_owner(
        system,
        "INSERT INTO collections_case (case_ref, loan_id, customer_ref, bucket, state, assignee, hold_reason,"
        " opened_at, state_since, steps) VALUES (%s, %s, %s, 'grace', 'created', '', '', now(), now(), 0)",
        uuid4(),
        loan.loan_ref,
        loan.customer_id,
    )
    result = look(controls.cases_rest_on_overdue_loans)
    assert result.outcome is Outcome.REFUTED
    facts = result.observations[0].facts
    assert (facts["loan_not_overdue"], facts["creation_not_recorded"]) == (1, 1)


@pytest.mark.planted_defect("CQJR-5.4-a")
@pytest.mark.clause("CQJR-5.4-a")
def test_a_case_whose_contract_is_gone_is_found(department: Department, system: System) -> None:
    customer = next(case.customer_ref for case in services.list_cases(department.leader).cases)
    as_owner(system, "ALTER TABLE consent_basis DISABLE TRIGGER USER")
    as_owner(system, "DELETE FROM consent_basis WHERE customer_ref = %s", customer)
    result = look(controls.cases_rest_on_overdue_loans)
    assert result.outcome is Outcome.REFUTED
    assert result.observations[0].facts["without_legal_basis"] == 1


@pytest.mark.planted_defect("CQJR-5.4-b")
@pytest.mark.clause("CQJR-5.4-b")
@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE collections_case SET state = 'legal' WHERE state = 'created'", "state_differs_from_replay"),
        ("UPDATE collections_case SET assignee = 'A0001' WHERE state = 'working'", "holder_without_assignment"),
    ],
)
def test_a_state_changed_by_sql_is_found(department: Department, system: System, statement: str, fault: str) -> None:
    as_owner(system, statement)
    result = look(controls.case_states_equal_their_history)
    assert result.outcome is Outcome.REFUTED
    assert result.observations[0].facts[fault]


@pytest.mark.planted_defect("CQJR-5.4-d")
@pytest.mark.clause("CQJR-5.4-d")
@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE disclosure_record SET staff_no = 'C0009' WHERE kind = 'page'", "watermark_does_not_resolve"),
        ("UPDATE disclosure_record SET elements = '[\"wechat\"]' WHERE kind = 'page'", "fields_beyond_the_page"),
        ("UPDATE collections_assignment SET assignee = 'A0001'", "reveal_without_holding_the_case"),
    ],
)
def test_a_view_that_does_not_resolve_or_shows_too_much_is_found(
    department: Department, system: System, statement: str, fault: str
) -> None:
    as_owner(system, "ALTER TABLE disclosure_record DISABLE TRIGGER USER")
    as_owner(system, statement)
    result = look(controls.case_pages_are_masked_and_traceable)
    assert result.outcome is Outcome.REFUTED
    assert result.observations[0].facts[fault]
