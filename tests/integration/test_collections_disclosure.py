"""What a collector and a leader see of their cases: masks, challenges, single values."""

from decimal import Decimal

import pytest

from fixtures.collecting import CODE, WHY, Department, case_of, give, open_department
from fixtures.installed import System
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.audit.models import Entry
from kuimen.gate.disclosure.errors import ChallengeLockedError, RevealQuotaError
from kuimen.gate.disclosure.models import Lookup
from kuimen.gate.disclosure.services import masked_page, resolve_view
from kuimen.kernels.elements.model import Element
from kuimen.ledger.loans.rules import STATUS_TABLE, LoanStatus
from kuimen.scenarios.collections import services
from kuimen.scenarios.collections.errors import CaseInputError
from kuimen.scenarios.collections.rules import CaseEvent, CaseState


@pytest.fixture
def department(system: System) -> Department:
    return open_department()


@pytest.mark.clause("CQJR-5.4-d")
def test_a_list_is_masked_and_its_view_resolves_to_the_audit_log(department: Department) -> None:
    page = services.list_cases(department.leader)
    assert page.total == len(department.cases) == 8
    assert page.watermark is not None
    trace = resolve_view(page.watermark.view_id)
    assert (trace.staff_no, trace.purpose) == ("T0001", "collection")
    assert Entry.objects.filter(entry_id=trace.entry_id).exists()
    assert page.masked == {}
    assert not Lookup.objects.exists(), "dispatching looks nobody up, however long the list is"


@pytest.mark.clause("CQJR-5.4-d")
def test_the_list_shows_masked_values_of_ones_own_cases_only(department: Department) -> None:
    give(department, department.cases[0], "C0001")
    (case,) = services.list_cases(department.collector).cases
    shown = services.list_cases(department.collector).masked[case.case_id]
    identity = department.identity_of(case.case_id)
    assert shown[Element.MOBILE] == f"{identity.mobile[:3]}****{identity.mobile[-4:]}"
    assert identity.person_name not in shown.values()
    assert Lookup.objects.filter(staff_no="C0001").count() == 1


@pytest.mark.clause("CQJR-5.4-d")
def test_a_case_page_shows_no_clear_value_and_carries_a_watermark(department: Department) -> None:
    case_id = department.cases[0]
    give(department, case_id, "C0001")
    view = services.open_case(department.collector, case_id)
    identity = department.identity_of(case_id)
    everything = repr(view)
    for clear in (identity.person_name, identity.mobile, identity.resident_id, identity.bank_card, identity.address):
        assert clear not in everything
    assert set(view.masked) == {
        Element.PERSON_NAME, Element.MOBILE, Element.RESIDENT_ID, Element.BANK_CARD, Element.ADDRESS,
    }  # fmt: skip
    assert "C0001" in view.watermark.text
    assert resolve_view(view.watermark.view_id).object_ref == str(case_id)
    assert view.events == (CaseEvent.START_WORK, CaseEvent.HOLD)
    assert [step.title_zh for step in view.history] == ["分案"]


def test_a_case_of_somebody_else_cannot_be_asked_of_the_door_itself(department: Department) -> None:
    mine, other = department.cases[:2]
    give(department, mine, "C0001")
    with pytest.raises(Exception, match="no such object"):
        masked_page(
            department.collector, purpose="collection", object_type="case", object_ref=str(mine),
            rows=[case_of(other).customer_ref], elements=[Element.MOBILE],
        )  # fmt: skip


@pytest.mark.clause("CQJR-5.4-d")
def test_a_challenge_tells_right_from_wrong_and_closes_after_three_wrong_answers(department: Department) -> None:
    case_id = department.cases[0]
    give(department, case_id, "C0001")
    right = department.identity_of(case_id).resident_id[-4:]

    def ask(answer: str) -> bool:
        said = Sensitive(answer, element="resident_id")
        return services.challenge(department.collector, case_id, element=Element.RESIDENT_ID, answer=said).matched

    assert ask(right)
    assert [ask("0000") for _ in range(3)] == [False, False, False]
    with pytest.raises(ChallengeLockedError):
        ask(right)
    with pytest.raises(CaseInputError):
        services.challenge(
            department.collector, case_id, element=Element.ADDRESS, answer=Sensitive("x", element="address")
        )


@pytest.mark.clause("CQJR-5.4-d")
def test_a_reveal_gives_one_field_within_the_quota_of_the_day(department: Department) -> None:
    case_id = department.cases[0]
    give(department, case_id, "C0001")

    def show(number: int) -> str:
        revealed = services.reveal(
            department.collector,
            case_id,
            element=Element.MOBILE,
            reason_code=CODE,
            reason=WHY,
            idempotency_key=f"key-{number:06d}",
        )
        return revealed.value.reveal_for("test")

    mobile = department.identity_of(case_id).mobile
    assert [show(number) for number in range(10)] == [mobile] * 10
    assert show(3) == mobile  # the same request again counts once
    with pytest.raises(RevealQuotaError) as caught:
        show(10)
    assert caught.value.retry_after_seconds
    with pytest.raises(CaseInputError):
        services.reveal(
            department.collector,
            case_id,
            element=Element.WECHAT,
            reason_code=CODE,
            reason=WHY,
            idempotency_key="key-999999",
        )


def test_a_leader_sees_masked_pages_and_reveals_nothing(department: Department) -> None:
    case_id = department.cases[0]
    services.open_case(department.leader, case_id)
    with pytest.raises(Exception, match="refused"):
        services.reveal(
            department.leader,
            case_id,
            element=Element.MOBILE,
            reason_code=CODE,
            reason=WHY,
            idempotency_key="key-000001",
        )


def test_pages_filter_and_count_from_one(department: Department) -> None:
    grace = services.list_cases(department.leader, bucket=LoanStatus.GRACE)
    assert {case.bucket for case in grace.cases} == {LoanStatus.GRACE}
    assert grace.total == 2
    assert services.list_cases(department.leader, state=CaseState.CLOSED).watermark is None
    assert services.list_cases(department.leader).buckets[LoanStatus.GRACE] == 2
    with pytest.raises(CaseInputError):
        services.list_cases(department.leader, page=0)


def test_amounts_on_a_page_are_the_ledgers(department: Department) -> None:
    balances = {row.balance for row in department.rows if STATUS_TABLE[row.status].overdue}
    page = services.list_cases(department.leader)
    assert {case.balance for case in page.cases} == balances
    assert all(isinstance(case.balance, Decimal) for case in page.cases)
