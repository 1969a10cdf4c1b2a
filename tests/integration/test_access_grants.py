"""Rights as they live in PostgreSQL: applied for, approved by another, ended by dates, revocation, leaving."""

from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from fixtures.at_once import at_once
from fixtures.installed import System
from fixtures.people import OFFICERS, PASSWORD, People, appoint_officers
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import services
from kuimen.gate.access.errors import (
    AlreadyAppointedError,
    DutySeparationError,
    GrantTransitionError,
    LastOfficersError,
    NotPermittedError,
    StaffExistsError,
    StaffInputError,
    StaffNotFoundError,
)
from kuimen.gate.access.models import Agency, ApiToken, Appointment, RoleGrant, Staff, StaffSession
from kuimen.gate.access.rules import GrantState, Role, Subject
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM


@pytest.fixture
def people(system: System) -> People:
    return appoint_officers()


def refusals(action: str) -> int:
    return Entry.objects.filter(action=action, outcome="refused").count()


def apply(people: People, staff_no: str, role: Role, post: str, *, system: System, days: int = 30) -> str:
    return str(
        services.apply_for_role(
            staff_no,
            role=role,
            post=post,
            valid_until=system.clock.now() + timedelta(days=days),
            applicant=people.maker,
            reason="测试",
        )
    )


def test_the_first_officers_are_appointed_once_as_the_first_entry_of_the_room(people: People) -> None:
    first = Entry.objects.order_by("id").exclude(action__startswith="keys.").first()
    assert first is not None
    assert first.action == "access.appoint"
    assert Appointment.objects.get().audit_entry == first.entry_id
    again = [
        services.NewOfficer(staff_no=no, display_name="后来者", password=Sensitive(PASSWORD, element="password"))
        for no in ("S0008", "S0009")
    ]
    with pytest.raises(AlreadyAppointedError):
        services.appoint_first_officers(again, actor=SYSTEM)
    assert not Staff.objects.filter(staff_no="S0008").exists()


def test_two_officers_are_two_people(system: System) -> None:
    one = services.NewOfficer(staff_no="S0001", display_name="甲", password=Sensitive(PASSWORD, element="password"))
    with pytest.raises(StaffInputError):
        services.appoint_first_officers([one, one], actor=SYSTEM)


@pytest.mark.clause("CQJR-5.4-c")
def test_a_role_gives_nothing_until_another_officer_approves(people: People, system: System) -> None:
    people.hire("C0001")
    services.assign_post("C0001", post="collection", officer=people.maker, second=people.checker)
    grant_id = RoleGrant.objects.get(grant_id=apply(people, "C0001", Role.COLLECTOR, "collection", system=system)).pk
    assert people.subject("C0001").roles == frozenset()
    with pytest.raises(DutySeparationError):
        services.approve_grant(grant_id, officer=people.maker)
    assert people.subject("C0001").roles == frozenset()
    assert refusals("grant.decide") == 1
    assert services.approve_grant(grant_id, officer=people.checker) is GrantState.ACTIVE
    assert people.subject("C0001").roles == {Role.COLLECTOR}


@pytest.mark.clause("CQJR-5.4-c")
def test_an_officer_cannot_approve_a_role_for_themselves(people: People, system: System) -> None:
    third = people.hire("S0003", Role.SECURITY_OFFICER)
    services.assign_post(OFFICERS[1], post="collection-lead", officer=people.maker, second=third)
    officer_lacks = system.clock.now() + timedelta(days=5)
    with pytest.raises(DutySeparationError):
        services.apply_for_role(
            OFFICERS[1],
            role=Role.TEAM_LEADER,
            post="collection-lead",
            valid_until=officer_lacks,
            applicant=people.maker,
            reason="越权",
        )


def test_a_collector_can_neither_register_nor_approve_nor_revoke(people: People, system: System) -> None:
    collector = people.hire("C0001", Role.COLLECTOR)
    grant = RoleGrant.objects.get(staff__staff_no="C0001")
    for attempt in (
        lambda: services.register_staff(
            "X1",
            display_name="某",
            password=Sensitive(PASSWORD, element="password"),
            officer=collector,
            second=people.checker,
        ),
        lambda: services.revoke_grant(grant.grant_id, officer=collector, reason="乱来"),
        lambda: services.disable_staff(OFFICERS[0], officer=collector, reason="乱来"),
        lambda: services.assign_post("C0001", post="audit", officer=collector, second=people.checker),
    ):
        with pytest.raises((NotPermittedError, DutySeparationError)):
            attempt()
    assert Entry.objects.filter(actor="C0001", outcome="refused").count() == 4


@pytest.mark.clause("JRT0171-7.3-a")
def test_roles_that_must_stay_apart_are_refused_and_recorded(people: People, system: System) -> None:
    people.hire("A0001", Role.AUDITOR)
    services.assign_post("A0001", post="engineering", officer=people.maker, second=people.checker)
    with pytest.raises(DutySeparationError):
        apply(people, "A0001", Role.ENGINEER, "engineering", system=system)
    assert refusals("grant.apply") == 1


def test_a_role_needs_a_post_that_the_person_holds(people: People, system: System) -> None:
    people.hire("C0001")
    services.assign_post("C0001", post="collection", officer=people.maker, second=people.checker)
    for role, post in ((Role.ENGINEER, "collection"), (Role.COLLECTOR, "audit"), (Role.COLLECTOR, "no-such")):
        with pytest.raises(StaffInputError):
            apply(people, "C0001", role, post, system=system)


def test_outsourced_staff_get_collection_roles_only(people: People, system: System) -> None:
    services.register_agency("AG1", name="某催收公司", officer=people.maker, second=people.checker)
    collector = people.hire("W0001", Role.COLLECTOR, agency="AG1")
    assert (collector.agency_id, collector.row_scope) == ("AG1", "AG1")
    services.assign_post("W0001", post="audit", officer=people.maker, second=people.checker)
    with pytest.raises(DutySeparationError):
        apply(people, "W0001", Role.AUDITOR, "audit", system=system)


@pytest.mark.clause("JRT0171-7.3-d")
def test_a_grant_ends_at_its_date_even_before_the_sweep_and_is_recovered_by_it(people: People, system: System) -> None:
    people.hire("C0001", Role.COLLECTOR)
    token = people.token("C0001")
    system.clock.advance(timedelta(days=90))
    assert people.subject("C0001").roles == frozenset()
    ApiToken.objects.update(expires_at=system.clock.now() + timedelta(hours=1))
    assert services.expire_due_grants() == 1
    grant = RoleGrant.objects.get(staff__staff_no="C0001")
    assert (grant.state, grant.recovered_at) == (GrantState.RECOVERED.value, system.clock.now())
    with pytest.raises(Exception, match="token"):
        services.subject_for_token(token)
    assert services.expire_due_grants() == 0


def test_a_grant_for_later_begins_by_itself_at_its_date(people: People, system: System) -> None:
    people.hire("C0001")
    services.assign_post("C0001", post="collection", officer=people.maker, second=people.checker)
    begins = system.clock.now() + timedelta(days=2)
    grant_id = services.apply_for_role(
        "C0001",
        role=Role.COLLECTOR,
        post="collection",
        valid_from=begins,
        valid_until=begins + timedelta(days=3),
        applicant=people.maker,
        reason="下周接班",
    )
    assert services.approve_grant(grant_id, officer=people.checker) is GrantState.APPROVED
    services.expire_due_grants()
    assert people.subject("C0001").roles == frozenset()
    system.clock.advance(timedelta(days=2))
    services.expire_due_grants()
    assert people.subject("C0001").roles == {Role.COLLECTOR}


def test_dates_in_the_past_or_beyond_a_year_are_refused(people: People, system: System) -> None:
    people.hire("C0001")
    services.assign_post("C0001", post="collection", officer=people.maker, second=people.checker)
    for days in (0, -1, 400):
        with pytest.raises(StaffInputError):
            apply(people, "C0001", Role.COLLECTOR, "collection", system=system, days=days)


def test_the_same_application_twice_is_a_conflict(people: People, system: System) -> None:
    people.hire("C0001")
    services.assign_post("C0001", post="collection", officer=people.maker, second=people.checker)
    apply(people, "C0001", Role.COLLECTOR, "collection", system=system)
    with pytest.raises(StaffExistsError):
        apply(people, "C0001", Role.COLLECTOR, "collection", system=system)


def test_an_event_that_the_table_does_not_allow_is_a_recorded_conflict_and_changes_nothing(
    people: People, system: System
) -> None:
    people.hire("C0001", Role.COLLECTOR)
    grant = RoleGrant.objects.get(staff__staff_no="C0001")
    with pytest.raises(GrantTransitionError):
        services.approve_grant(grant.grant_id, officer=people.checker)
    with pytest.raises(GrantTransitionError):
        services.refuse_grant(grant.grant_id, officer=people.checker, reason="晚了")
    with pytest.raises(GrantTransitionError):
        services.withdraw_grant(grant.grant_id, applicant=people.maker)
    services.revoke_grant(grant.grant_id, officer=people.checker, reason="收回")
    with pytest.raises(GrantTransitionError):
        services.revoke_grant(grant.grant_id, officer=people.checker, reason="再收")
    grant.refresh_from_db()
    assert grant.state == GrantState.RECOVERED.value
    assert [refusals(f"grant.{event}") for event in ("approve", "refuse", "withdraw", "revoke")] == [1, 1, 1, 1]


def test_a_stranger_cannot_withdraw_an_application(people: People, system: System) -> None:
    people.hire("C0001")
    services.assign_post("C0001", post="collection", officer=people.maker, second=people.checker)
    grant_id = RoleGrant.objects.get(grant_id=apply(people, "C0001", Role.COLLECTOR, "collection", system=system)).pk
    stranger = people.hire("C0002", Role.COLLECTOR)
    with pytest.raises(StaffNotFoundError):
        services.withdraw_grant(grant_id, applicant=stranger)
    services.withdraw_grant(grant_id, applicant=people.subject("C0001"))
    assert RoleGrant.objects.get(pk=grant_id).state == GrantState.WITHDRAWN.value


def test_of_two_officers_who_approve_at_once_one_wins(people: People, system: System) -> None:
    people.hire("S0003", Role.SECURITY_OFFICER)
    people.hire("C0001")
    services.assign_post("C0001", post="collection", officer=people.maker, second=people.checker)
    grant_id = RoleGrant.objects.get(grant_id=apply(people, "C0001", Role.COLLECTOR, "collection", system=system)).pk
    second, third = people.checker, people.subject("S0003")

    def by(officer: Subject) -> Callable[[], object]:
        return lambda: services.approve_grant(grant_id, officer=officer)

    results = at_once(by(second), by(third))
    assert [type(result) for result in results].count(GrantTransitionError) == 1
    assert results.count(GrantState.ACTIVE) == 1
    assert Entry.objects.filter(action="grant.approve", object_ref=str(grant_id), outcome="done").count() == 1


def test_of_two_conflicting_applications_at_once_one_wins(people: People, system: System) -> None:
    people.hire("A0001")
    for post in ("audit", "engineering"):
        services.assign_post("A0001", post=post, officer=people.maker, second=people.checker)
    results = at_once(
        lambda: apply(people, "A0001", Role.AUDITOR, "audit", system=system),
        lambda: apply(people, "A0001", Role.ENGINEER, "engineering", system=system),
    )
    assert [type(result) for result in results].count(DutySeparationError) == 1
    assert RoleGrant.objects.filter(staff__staff_no="A0001").count() == 1


@pytest.mark.clause("JRT0171-7.2.3-c")
def test_a_leaver_loses_sessions_tokens_grants_posts_and_second_factor_at_once(people: People, system: System) -> None:
    people.hire("C0001", Role.COLLECTOR)
    token = people.token("C0001")
    staff = Staff.objects.get(staff_no="C0001")
    services.open_session(staff, "some-session-key", second_factor=True)
    assert services.touch_session(staff, "some-session-key") is not None
    services.disable_staff("C0001", officer=people.maker, reason="离职")
    staff.refresh_from_db()
    assert services.touch_session(staff, "some-session-key") is None
    assert not StaffSession.objects.filter(staff=staff, ended_at__isnull=True).exists()
    with pytest.raises(Exception, match="token"):
        services.subject_for_token(token)
    assert services.subject_of(staff).roles == frozenset()
    assert not services.has_second_factor(staff)
    assert not staff.has_usable_password()
    assert set(RoleGrant.objects.filter(staff=staff).values_list("state", flat=True)) == {"recovered"}
    assert Entry.objects.filter(action="staff.disable", object_ref="C0001", outcome="done").count() == 1
    with pytest.raises(StaffExistsError):
        services.register_staff(
            "C0001",
            display_name="新人",
            password=Sensitive(PASSWORD, element="password"),
            officer=people.maker,
            second=people.checker,
        )


@pytest.mark.clause("JRT0171-7.2.3-c")
def test_a_mover_loses_the_roles_of_the_old_post(people: People, system: System) -> None:
    people.hire("C0001", Role.COLLECTOR)
    assert services.end_posting("C0001", post="collection", officer=people.maker) == 1
    assert people.subject("C0001").roles == frozenset()
    assert people.subject("C0001").posts == frozenset()


def test_an_officer_cannot_close_or_reset_their_own_account(people: People, system: System) -> None:
    with pytest.raises(DutySeparationError):
        services.disable_staff(OFFICERS[0], officer=people.maker, reason="自己")
    with pytest.raises(DutySeparationError):
        services.reset_sign_in(OFFICERS[0], officer=people.maker, second=people.checker)


def test_two_security_officers_always_remain(people: People, system: System) -> None:
    with pytest.raises(LastOfficersError):
        services.disable_staff(OFFICERS[1], officer=people.maker, reason="离职")
    people.hire("S0003", Role.SECURITY_OFFICER)
    services.disable_staff(OFFICERS[1], officer=people.maker, reason="离职")
    assert people.subject(OFFICERS[1]).roles == frozenset()


@pytest.mark.clause("CQJR-5.4-c")
def test_without_a_second_factor_granted_roles_do_not_work(people: People, system: System) -> None:
    officer = people.hire("S0003", Role.SECURITY_OFFICER, second_factor=False)
    assert officer.roles == {Role.SECURITY_OFFICER}
    with pytest.raises(Exception, match="second factor"):
        services.register_agency("AG9", name="某公司", officer=officer, second=people.checker)
    assert not Agency.objects.exists()


def test_the_database_itself_refuses_what_no_service_would_write(people: People, system: System) -> None:
    for statement in (
        b"UPDATE access_role_grant SET decided_by_id = applied_by_id",
        b"UPDATE access_role_grant SET valid_until = valid_from",
        b"UPDATE access_role_grant SET state = 'for_ever'",
        b"UPDATE access_role_grant SET decided_by_id = NULL",
        b"DELETE FROM access_role_grant",
        b"UPDATE access_appointment SET id = 2",
        b"INSERT INTO access_appointment SELECT 2, appointed_at, audit_entry FROM access_appointment",
    ):
        with system.connect() as application, pytest.raises(psycopg.Error):
            application.execute(statement)


def test_a_weak_password_is_refused_without_being_repeated(people: People, system: System) -> None:
    with pytest.raises(StaffInputError) as caught:
        services.register_staff(
            "C0009",
            display_name="某",
            password=Sensitive("password1234", element="password"),
            officer=people.maker,
            second=people.checker,
        )
    assert "password1234" not in str(caught.value)
