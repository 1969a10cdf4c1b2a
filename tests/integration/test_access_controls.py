"""Controls of the access room on a live system: they hold when it is sound and fail when it is broken."""

from datetime import timedelta

import pytest

from fixtures.installed import System
from fixtures.people import People, appoint_officers
from kuimen.foundation import clock
from kuimen.gate.access import controls, policy
from kuimen.gate.access.models import RoleGrant, Staff, StaffSession
from kuimen.gate.access.policy import PolicyText, parse_policies, shipped_schema, shipped_texts
from kuimen.gate.access.rules import GrantState, Role
from kuimen.standard import Outcome, Probe, ProbeContext


@pytest.fixture
def people(system: System) -> People:
    staffed = appoint_officers()
    staffed.hire("S0101", Role.COLLECTOR)
    staffed.hire("S0201", Role.AUDITOR)
    return staffed


def outcome(probe: Probe) -> Outcome:
    return probe(ProbeContext(at=clock.now())).outcome


def plant_grant(staff_no: str, role: Role, *, by: str = "S0002", days: int = 30) -> None:
    """Write an active grant past every service, as somebody with the application's password could."""
    pattern = RoleGrant.objects.filter(staff__staff_no=staff_no).select_related("post").first()
    assert pattern is not None
    RoleGrant.objects.create(
        staff=pattern.staff,
        role=role.value,
        post=pattern.post,
        state=GrantState.ACTIVE.value,
        reason="planted",
        valid_from=clock.now() - timedelta(days=60),
        valid_until=clock.now() + timedelta(days=days),
        applied_by=Staff.objects.get(staff_no="S0001"),
        applied_at=clock.now(),
        decided_by=Staff.objects.get(staff_no=by),
        decided_at=clock.now(),
    )


def plant_permit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add one careless line to the live policies."""
    careless = '@id("careless")\npermit (principal, action == Action::"disclosure.reveal", resource);'
    texts = [text for text in shipped_texts().values() if '@id("second-factor-missing")' not in text]
    text: PolicyText = parse_policies([*texts, careless], schema=shipped_schema())
    monkeypatch.setattr(policy, "shipped_policies", lambda: text)


@pytest.mark.clause("CQJR-5.4-c", "CQJR-5.2-h", "JRT0171-7.3-a", "JRT0171-7.3-b", "JRT0171-7.3-c", "JRT0171-7.3-d")
def test_a_soundly_staffed_system_holds(people: People) -> None:
    for probe in (
        controls.active_grants_follow_posts,
        controls.ended_rights_are_taken_back,
        controls.duties_are_separated,
        controls.accounts_are_not_shared,
        controls.nobody_may_do_anything_by_default,
    ):
        assert outcome(probe) is Outcome.HOLDS, probe


def test_without_any_grant_there_is_nothing_to_judge_by(system: System) -> None:
    assert outcome(controls.active_grants_follow_posts) is Outcome.INSUFFICIENT
    assert outcome(controls.duties_are_separated) is Outcome.INSUFFICIENT


@pytest.mark.planted_defect("CQJR-5.4-c")
def test_a_role_widened_past_the_matrix_is_seen(people: People) -> None:
    plant_grant("S0101", Role.ENGINEER)
    assert outcome(controls.active_grants_follow_posts) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-5.4-c", "JRT0171-7.3-d")
def test_a_right_that_outlived_its_date_is_seen(people: People) -> None:
    plant_grant("S0101", Role.COLLECTOR, days=-1)
    assert outcome(controls.ended_rights_are_taken_back) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-5.4-c", "JRT0171-7.3-d")
def test_a_leaver_who_keeps_a_role_is_seen(people: People) -> None:
    Staff.objects.filter(staff_no="S0101").update(is_active=False)
    assert outcome(controls.ended_rights_are_taken_back) is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-7.3-a")
def test_two_roles_that_exclude_each_other_are_seen(people: People) -> None:
    plant_grant("S0201", Role.COLLECTOR)
    assert outcome(controls.duties_are_separated) is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-7.3-b")
def test_an_account_in_use_at_two_places_is_seen(people: People) -> None:
    staff = Staff.objects.get(staff_no="S0101")
    for number, place in enumerate(("a" * 64, "b" * 64)):
        StaffSession.objects.create(
            session_digest=str(number) * 64,
            staff=staff,
            client_digest=place,
            started_at=clock.now(),
            seen_at=clock.now(),
        )
    assert outcome(controls.accounts_are_not_shared) is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-7.3-c", "CQJR-5.2-h", "JRT0171-7.3-b")
def test_a_careless_permit_is_seen(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    plant_permit(monkeypatch)
    assert outcome(controls.nobody_may_do_anything_by_default) is Outcome.REFUTED
    assert outcome(controls.accounts_are_not_shared) is Outcome.REFUTED
