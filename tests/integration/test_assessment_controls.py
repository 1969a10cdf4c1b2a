"""Controls that see several rooms: they hold for a protected lender and fail for one with a value in clear."""

from datetime import timedelta
from uuid import uuid4

import pytest

from fixtures.collecting import Department, open_department
from fixtures.installed import System
from kuimen.assessment import controls
from kuimen.foundation import clock
from kuimen.governance.inventory.models import Asset, DataSource
from kuimen.governance.inventory.rules import AssetState, SourceKind
from kuimen.standard import Outcome, Probe, ProbeContext, ProbeResult

IN_A_KEY = "UPDATE loans_facility SET source_key = '19990001234', source_id = left(facility_ref::text, 30)"
IN_A_NAME = "UPDATE access_agency SET name = '联系人 19990001234'"
IN_AN_ENTRY = """
INSERT INTO audit_entry
    (entry_id, occurred_at, actor_kind, actor, action, outcome, purpose, object_type, object_ref, body)
VALUES (gen_random_uuid(), now(), 'system', 'x', 'test.deed', 'done', '', '', '',
        convert_to('{"facts":{"note":"19990001234"}}', 'UTF8'))
"""
IN_A_JOB = """
INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('q', 't', '{"phone": "19990001234"}')
"""


@pytest.fixture
def department(system: System) -> Department:
    return open_department(each=1)


def result(probe: Probe) -> ProbeResult:
    return probe(ProbeContext(at=clock.now()))


def plant_asset(element: str, category: str, state: AssetState) -> None:
    source = DataSource.objects.create(
        source_id=uuid4(), fingerprint=str(uuid4()), label="旧核心", kind=SourceKind.POSTGRESQL.value,
        registered_at=clock.now(),
    )  # fmt: skip
    Asset.objects.create(
        source=source, table_name="t_cust", column_name="c1", element=element, category=category, level=3,
        state=state.value, first_seen_at=clock.now(), seen_at=clock.now(), state_since=clock.now(),
    )  # fmt: skip


@pytest.mark.clause("CQJR-5.3-d", "CQJR-5.4-g", "JRT0171-6.1.3-b", "JRT0171-6.1.3-e")
def test_a_protected_lender_holds(department: Department) -> None:
    own = result(controls.own_tables_hold_no_clear_value)
    assert own.outcome is Outcome.HOLDS, own.observations[0].facts
    sealed = result(controls.identity_of_borrowers_is_sealed)
    assert sealed.outcome is Outcome.HOLDS, sealed.observations[0].facts
    assert sealed.observations[0].facts["sm4-gcm"] == 5 * len(department.rows)
    plant_asset("password", "C3", AssetState.SEALED)
    assert result(controls.c3_is_encrypted).outcome is Outcome.HOLDS


def test_an_empty_system_proves_nothing(system: System) -> None:
    for probe in (
        controls.own_tables_hold_no_clear_value,
        controls.identity_of_borrowers_is_sealed,
        controls.c3_is_encrypted,
    ):
        assert result(probe).outcome is Outcome.INSUFFICIENT


@pytest.mark.planted_defect("CQJR-5.3-d", "CQJR-5.4-g", "JRT0171-6.1.3-e")
@pytest.mark.parametrize("defect", [IN_A_KEY, IN_A_NAME, IN_AN_ENTRY, IN_A_JOB])
def test_a_clear_phone_written_by_sql_is_seen(department: Department, system: System, defect: str) -> None:
    with system.connect("kuimen_owner") as owner:
        owner.execute(defect.encode())
    found = result(controls.own_tables_hold_no_clear_value)
    assert found.outcome is Outcome.REFUTED
    assert "1999000" not in str(found)


@pytest.mark.planted_defect("CQJR-5.3-d")
def test_a_borrower_without_sealed_identity_is_seen(department: Department, system: System) -> None:
    with system.connect("kuimen_owner") as owner:
        owner.execute("DELETE FROM vault_index")
        owner.execute(
            "DELETE FROM vault_record WHERE person_ref = (SELECT customer_id FROM loans_loan ORDER BY loan_ref LIMIT 1)"
        )
    assert result(controls.identity_of_borrowers_is_sealed).outcome is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-5.3-d")
def test_an_identity_column_left_in_clear_is_seen(department: Department) -> None:
    plant_asset("mobile", "C2", AssetState.CLEAR)
    assert result(controls.identity_of_borrowers_is_sealed).outcome is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-6.1.3-b")
def test_c3_left_in_clear_is_seen(department: Department) -> None:
    plant_asset("password", "C3", AssetState.CLEAR)
    assert result(controls.c3_is_encrypted).outcome is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-6.1.3-b")
def test_a_password_kept_as_a_quick_hash_is_seen(department: Department, system: System) -> None:
    plant_asset("password", "C3", AssetState.SEALED)
    with system.connect("kuimen_owner") as owner:
        owner.execute("UPDATE access_staff SET password = 'md5$x$0123' WHERE staff_no = 'C0001'")
    assert result(controls.c3_is_encrypted).outcome is Outcome.REFUTED


def test_old_moments_and_references_are_no_false_alarm(department: Department, system: System) -> None:
    system.clock.advance(timedelta(days=400))
    assert result(controls.own_tables_hold_no_clear_value).outcome is Outcome.HOLDS
