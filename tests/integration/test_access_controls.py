"""The controls of the access room hold on a healthy installation and fail on every planted defect."""

from datetime import timedelta

import pytest

from fixtures.installed import System
from fixtures.people import OFFICERS, People, appoint_officers
from kuimen.foundation import clock
from kuimen.gate.access import controls, policy, services
from kuimen.gate.access.change_rules import COUNTERSIGN_WITHIN, ChangeKind
from kuimen.gate.access.errors import DutySeparationError, PersonnelFileError, StaffInputError
from kuimen.gate.access.models import RoleGrant, Staff
from kuimen.gate.access.personnel_rules import TRAINING_VALID, FileItem
from kuimen.gate.access.rules import GrantState, Role
from kuimen.gate.audit.models import Entry
from kuimen.standard import Outcome, ProbeContext, ProbeResult

FOUR_EYES = b"ALTER TABLE access_role_grant DROP CONSTRAINT access_grant_four_eyes"
WITHOUT_POST = b"ALTER TABLE access_role_grant ALTER COLUMN post_id DROP NOT NULL"
OF_COLLECTOR = b" WHERE staff_id = (SELECT id FROM access_staff WHERE staff_no = 'C0001')"


@pytest.fixture
def people(system: System) -> People:
    people = appoint_officers()
    people.hire("C0001", Role.COLLECTOR)
    return people


def plant(system: System, *statements: bytes) -> None:
    """Break the live system as its owner."""
    with system.connect("kuimen_owner") as owner:
        for statement in statements:
            owner.execute(statement)


def look(system: System) -> dict[str, ProbeResult]:
    context = ProbeContext(at=system.clock.now())
    return {
        "grants": controls.active_grants_follow_posts(context),
        "ended": controls.ended_rights_are_taken_back(context),
        "factor": controls.roles_need_a_second_factor(context),
        "duties": controls.duties_are_separated(context),
        "accounts": controls.accounts_are_not_shared(context),
        "default": controls.nobody_may_do_anything_by_default(context),
        "changes": controls.changes_have_two_officers(context),
        "files": controls.role_holders_have_whole_files(context),
    }


def outcomes(system: System) -> dict[str, Outcome]:
    return {name: result.outcome for name, result in look(system).items()}


def refuted(system: System) -> set[str]:
    return {name for name, outcome in outcomes(system).items() if outcome is Outcome.REFUTED}


def fact(result: ProbeResult, name: str) -> object:
    return result.observations[0].facts[name]


def test_an_empty_installation_proves_nothing_about_people(system: System) -> None:
    seen = outcomes(system)
    assert {name for name, outcome in seen.items() if outcome is Outcome.INSUFFICIENT} == {
        "grants",
        "ended",
        "factor",
        "duties",
        "accounts",
        "files",
    }
    assert seen["default"] is Outcome.HOLDS


def test_a_healthy_installation_with_a_leaver_holds(people: People, system: System) -> None:
    people.token("C0001")
    people.hire("C0002", Role.COLLECTOR)
    services.disable_staff("C0002", officer=people.maker, reason="离职")
    system.clock.advance(timedelta(days=3))
    assert set(outcomes(system).values()) == {Outcome.HOLDS}
    assert fact(look(system)["ended"], "slowest_recovery_of_leavers_seconds") == 0


@pytest.mark.planted_defect("CQJR-5.4-c", "JRT0171-7.3-a")
def test_a_grant_that_its_applicant_approved_is_found(people: People, system: System) -> None:
    plant(system, FOUR_EYES, b"UPDATE access_role_grant SET decided_by_id = applied_by_id" + OF_COLLECTOR)
    assert refuted(system) == {"grants"}


@pytest.mark.planted_defect("CQJR-5.4-c")
def test_a_grant_that_its_holder_approved_is_found(people: People, system: System) -> None:
    plant(system, FOUR_EYES, b"UPDATE access_role_grant SET decided_by_id = staff_id" + OF_COLLECTOR)
    assert refuted(system) == {"grants"}


@pytest.mark.planted_defect("CQJR-5.4-c")
def test_a_grant_without_a_post_is_found(people: People, system: System) -> None:
    plant(system, WITHOUT_POST, b"UPDATE access_role_grant SET post_id = NULL" + OF_COLLECTOR)
    assert "grants" in refuted(system)


@pytest.mark.planted_defect("CQJR-5.4-c")
def test_a_role_outside_the_matrix_is_found(people: People, system: System) -> None:
    plant(system, b"UPDATE access_role_grant SET role = 'importer'" + OF_COLLECTOR)
    assert refuted(system) == {"grants"}


@pytest.mark.planted_defect("CQJR-5.4-c")
def test_a_grant_for_ever_is_found(people: People, system: System) -> None:
    plant(system, b"UPDATE access_role_grant SET valid_until = valid_until + interval '10 years'" + OF_COLLECTOR)
    assert refuted(system) == {"grants"}


@pytest.mark.planted_defect("CQJR-5.4-c", "JRT0171-7.3-d")
def test_an_expired_grant_that_is_still_active_is_found(people: People, system: System) -> None:
    system.clock.advance(timedelta(days=91))
    assert refuted(system) == {"ended"}
    services.expire_due_grants()
    assert refuted(system) == set()


@pytest.mark.planted_defect("JRT0171-7.3-d", "JRT0171-7.2.3-c")
def test_a_grant_that_was_ended_and_never_recovered_is_found(people: People, system: System) -> None:
    plant(system, b"UPDATE access_role_grant SET state = 'revoked'" + OF_COLLECTOR)
    assert refuted(system) == {"ended"}


@pytest.mark.planted_defect("JRT0171-7.2.3-c", "CQJR-5.4-c")
def test_a_leaver_whose_rights_live_on_is_found(people: People, system: System) -> None:
    people.token("C0001")
    plant(system, b"UPDATE access_staff SET is_active = false WHERE staff_no = 'C0001'")
    result = look(system)["ended"]
    assert result.outcome is Outcome.REFUTED
    assert (fact(result, "active_of_people_who_left"), fact(result, "tokens_of_people_who_left")) == (1, 1)


@pytest.mark.planted_defect("JRT0171-7.2.3-c")
def test_a_mover_whose_rights_live_on_is_found(people: People, system: System) -> None:
    plant(system, b"UPDATE access_posting SET ended_at = started_at" + OF_COLLECTOR)
    assert refuted(system) == {"grants", "ended"}


@pytest.mark.planted_defect("CQJR-5.4-c")
def test_a_role_without_a_second_factor_is_found(people: People, system: System) -> None:
    people.token("C0001")
    plant(system, b"DELETE FROM mfa_authenticator" + OF_COLLECTOR.replace(b"staff_id", b"user_id"))
    result = look(system)["factor"]
    assert result.outcome is Outcome.REFUTED
    assert (fact(result, "role_without_second_factor"), fact(result, "tokens_without_second_factor")) == (1, 1)


@pytest.mark.planted_defect("JRT0171-7.3-a")
def test_two_roles_that_must_stay_apart_are_found(people: People, system: System) -> None:
    people.hire("E0001", Role.ENGINEER)
    grant = RoleGrant.objects.get(staff__staff_no="E0001")
    RoleGrant.objects.filter(pk=grant.pk).update(staff=Staff.objects.get(staff_no="C0001"))
    people.hire("A0001", Role.AUDITOR)
    RoleGrant.objects.filter(staff__staff_no="A0001").update(staff=Staff.objects.get(staff_no="C0001"))
    result = look(system)["duties"]
    assert (result.outcome, fact(result, "people_with_conflicting_roles")) == (Outcome.REFUTED, 1)


@pytest.mark.planted_defect("JRT0171-7.3-b")
def test_an_account_in_use_at_two_places_is_found(people: People, system: System) -> None:
    staff = Staff.objects.get(staff_no="C0001")
    services.open_session(staff, "first", client_digest="a" * 64, second_factor=True)
    services.open_session(staff, "second", client_digest="b" * 64, second_factor=True)
    assert refuted(system) == set()
    plant(system, b"UPDATE access_staff_session SET ended_at = NULL")
    assert refuted(system) == {"accounts"}


def with_policy(monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    widened = policy.parse_policies([*policy.shipped_texts().values(), extra], schema=policy.shipped_schema())
    monkeypatch.setattr(policy, "shipped_policies", lambda: widened)


@pytest.mark.planted_defect("JRT0171-7.3-c", "JRT0171-7.3-b")
def test_a_permit_for_everybody_is_found(people: People, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    with_policy(monkeypatch, '@id("planted") permit (principal, action == Action::"audit.read", resource);')
    assert refuted(system) == {"accounts", "default"}


@pytest.mark.planted_defect("JRT0171-7.3-a")
def test_a_role_widened_into_another_duty_is_found(
    people: People, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_policy(
        monkeypatch,
        '@id("planted") permit (principal in Role::"engineer", action == Action::"disclosure.reveal", resource);',
    )
    assert refuted(system) == {"duties"}


@pytest.mark.planted_defect("JRT0171-7.3-c")
def test_a_removed_second_factor_rule_is_found(people: People, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text.replace("unless { principal.mfa }", "when { false }") for text in policy.shipped_texts().values()]
    loosened = policy.parse_policies(texts, schema=policy.shipped_schema())
    monkeypatch.setattr(policy, "shipped_policies", lambda: loosened)
    assert refuted(system) == {"default"}


@pytest.mark.clause("CQJR-5.4-c")
@pytest.mark.planted_defect("CQJR-5.4-c")
def test_a_change_that_one_officer_decided_alone_is_found(people: People, system: System) -> None:
    made = services.propose_change(
        ChangeKind.REGISTER_AGENCY, "AG1", officer=people.maker, reason="新合作", content={"name": "某催收公司"}
    )
    services.approve_change(made.change_id, officer=people.checker)
    assert refuted(system) == set()
    plant(
        system,
        b"ALTER TABLE access_staff_change DROP CONSTRAINT access_change_four_eyes",
        b"UPDATE access_staff_change SET checker_id = maker_id",
    )
    assert refuted(system) == {"changes"}


@pytest.mark.clause("CQJR-5.4-c")
def test_a_countersignature_that_stays_away_is_found(people: People, system: System) -> None:
    services.propose_change(ChangeKind.DISABLE_STAFF, "C0001", officer=people.maker, reason="离职")
    assert refuted(system) == set()
    system.clock.advance(COUNTERSIGN_WITHIN)
    assert refuted(system) == {"changes"}


@pytest.mark.clause("CQJR-6.1-c", "CQJR-6.6-b-1")
@pytest.mark.planted_defect("CQJR-6.1-c", "CQJR-6.6-b-1")
def test_a_role_without_a_whole_file_is_found(people: People, system: System) -> None:
    services.register_agency("AG1", name="某催收公司", officer=people.maker, second=people.checker)
    people.hire("W0001", Role.COLLECTOR, agency="AG1")
    assert refuted(system) == set()
    plant(
        system,
        b"ALTER TABLE access_personnel_record DISABLE TRIGGER kept_rows",
        b"DELETE FROM access_personnel_record WHERE item = 'background'"
        b" AND staff_id = (SELECT id FROM access_staff WHERE staff_no = 'W0001')",
    )
    assert refuted(system) == {"files"}
    assert fact(look(system)["files"], "outsourced_without_whole_file") == 1
    assert fact(look(system)["files"], "without_background") == 1


@pytest.mark.clause("CQJR-6.1-c", "CQJR-6.6-b-1")
def test_no_role_begins_before_the_file_is_whole(people: People, system: System) -> None:
    services.register_staff("C0002", display_name="新人", officer=people.maker, second=people.checker)
    services.assign_post("C0002", post="collection", officer=people.maker, second=people.checker)
    grant = services.apply_for_role(
        "C0002", role=Role.COLLECTOR, post="collection", valid_until=system.clock.now() + timedelta(days=9),
        applicant=people.maker, reason="上岗",
    )  # fmt: skip
    old = clock.today() - TRAINING_VALID - timedelta(days=1)
    for item, day in (
        (FileItem.BACKGROUND, old),
        (FileItem.CONFIDENTIALITY, old),
        (FileItem.TRAINING, old),
        (FileItem.TRAINING, clock.today()),
    ):
        with pytest.raises(PersonnelFileError):
            services.approve_grant(grant, officer=people.checker)
        services.record_personnel("C0002", item=item, done_on=day, evidence="HR-17", officer=people.maker)
    assert services.approve_grant(grant, officer=people.checker) is GrantState.ACTIVE
    assert Entry.objects.filter(action="grant.approve", outcome="refused").count() == 4


def test_nobody_keeps_their_own_file(people: People) -> None:
    with pytest.raises(DutySeparationError):
        services.record_personnel(
            OFFICERS[0], item=FileItem.TRAINING, done_on=clock.today(), evidence="自填", officer=people.maker
        )
    with pytest.raises(StaffInputError):
        services.record_personnel(
            "C0001",
            item=FileItem.TRAINING,
            done_on=clock.today() + timedelta(days=1),
            evidence="HR",
            officer=people.maker,
        )
