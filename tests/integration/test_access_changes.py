"""Changes to people, posts and agencies: two officers, two codes, one person who takes the account over."""

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from uuid import UUID

import psycopg
import pytest

from fixtures.at_once import at_once
from fixtures.installed import System
from fixtures.people import OFFICERS, PASSWORD, People, appoint_officers
from kuimen.foundation.errors import KuimenError
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import services
from kuimen.gate.access.change_rules import (
    ACTIVATION_LIFETIME,
    CHANGE_TRANSITIONS,
    PROPOSAL_LIFETIME,
    WRONG_ACTIVATIONS,
    ChangeEvent,
    ChangeKind,
    ChangeState,
)
from kuimen.gate.access.errors import (
    ActivationRefusedError,
    ChangeTransitionError,
    DutySeparationError,
    LastOfficersError,
    NotPermittedError,
    PasswordRefusedError,
    StaffExistsError,
    StaffInputError,
    StaffNotFoundError,
)
from kuimen.gate.access.models import Agency, Staff, StaffChange
from kuimen.gate.access.rules import Role
from kuimen.gate.access.services.reading import changes_seen_by, staff_seen_by
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM

NEW_PASSWORD = "Another-Gorge-2026-Test"
Code = Sensitive[str]


@pytest.fixture
def people(system: System) -> People:
    return appoint_officers()


def secret(text: str) -> Sensitive[str]:
    return Sensitive(text, element="password")


def propose(people: People, staff_no: str = "C0001", kind: ChangeKind = ChangeKind.REGISTER_STAFF) -> services.Decided:
    content = {"display_name": "新来者"} if kind is ChangeKind.REGISTER_STAFF else {}
    return services.propose_change(kind, staff_no, officer=people.maker, reason="入职", content=content)


def register(people: People, staff_no: str = "C0001") -> tuple[Code, Code]:
    made = propose(people, staff_no)
    done = services.approve_change(made.change_id, officer=people.checker)
    assert made.code is not None
    assert done.code is not None
    return made.code, done.code


def activate(staff_no: str, codes: tuple[Code, Code], password: str = NEW_PASSWORD) -> None:
    services.activate(staff_no, first_code=codes[0], second_code=codes[1], password=secret(password))


def refusals(action: str) -> int:
    return Entry.objects.filter(action=action, outcome="refused").count()


def test_an_account_exists_only_once_a_second_officer_agreed(people: People) -> None:
    made = propose(people)
    assert made.state is ChangeState.PROPOSED
    assert not Staff.objects.filter(staff_no="C0001").exists()
    with pytest.raises(DutySeparationError):
        services.approve_change(made.change_id, officer=people.maker)
    assert refusals("staff.decide") == 1
    done = services.approve_change(made.change_id, officer=people.checker)
    assert done.state is ChangeState.APPLIED
    assert not Staff.objects.get(staff_no="C0001").has_usable_password()


def test_neither_officer_alone_can_take_the_account_over(people: People) -> None:
    first, second = register(people)
    for pair in ((first, first), (second, second), (first, Sensitive("AAAA-BBBB-CCCC", element="secret_key"))):
        with pytest.raises(ActivationRefusedError):
            activate("C0001", pair)
    activate("C0001", (second, first))  # slips of paper have no order
    assert Staff.objects.get(staff_no="C0001").check_password(NEW_PASSWORD)
    with pytest.raises(ActivationRefusedError):
        activate("C0001", (first, second))
    assert refusals("staff.activate") == 4


def test_codes_end_by_time_and_by_guessing(people: People, system: System) -> None:
    codes = register(people, "C0001")
    system.clock.advance(ACTIVATION_LIFETIME + timedelta(seconds=1))
    with pytest.raises(ActivationRefusedError):
        activate("C0001", codes)
    codes = register(people, "C0002")
    for _ in range(WRONG_ACTIVATIONS):
        with pytest.raises(ActivationRefusedError):
            activate("C0002", (codes[0], codes[0]))
    with pytest.raises(ActivationRefusedError):
        activate("C0002", codes)


def test_codes_stand_nowhere(people: People, system: System) -> None:
    told = [code.reveal_for("test") for code in register(people)]
    with system.connect("kuimen_owner") as owner:
        kept = owner.execute("SELECT row_to_json(t)::text FROM access_staff_change t").fetchall()
        kept += owner.execute("SELECT row_to_json(t)::text FROM access_activation t").fetchall()
    bodies = [bytes(body) for body in Entry.objects.values_list("body", flat=True)]
    for code in told:
        assert all(code not in row for (row,) in kept)
        assert all(code.encode() not in body for body in bodies)


def test_unknown_numbers_get_the_same_answer(people: People) -> None:
    codes = register(people)
    with pytest.raises(ActivationRefusedError) as unknown:
        activate("NOBODY", codes)
    with pytest.raises(ActivationRefusedError) as wrong:
        activate("C0001", (codes[0], codes[0]))
    assert str(unknown.value) == str(wrong.value)


def test_a_weak_password_leaves_the_activation_open(people: People) -> None:
    codes = register(people)
    with pytest.raises(StaffInputError):
        activate("C0001", codes, "password1234")
    activate("C0001", codes)


def test_a_lost_authenticator_is_reset_by_two_other_people(people: People) -> None:
    people.hire("C0001", Role.COLLECTOR)
    token = people.token("C0001")
    made = propose(people, kind=ChangeKind.RESET_SIGN_IN)
    services.subject_for_token(token)  # nothing has happened yet
    done = services.approve_change(made.change_id, officer=people.checker)
    assert not people.subject("C0001").mfa
    with pytest.raises(KuimenError):
        services.subject_for_token(token)
    with pytest.raises(KuimenError):
        services.issue_token("C0001", password=secret(PASSWORD), totp_code=secret("000000"))
    assert made.code is not None
    assert done.code is not None
    activate("C0001", (made.code, done.code))


@pytest.mark.clause("JRT0171-7.2.3-c")
def test_taking_away_acts_at_once_and_is_countersigned(people: People) -> None:
    people.hire("C0001", Role.COLLECTOR)
    left = propose(people, kind=ChangeKind.DISABLE_STAFF)
    assert left.state is ChangeState.EFFECTIVE
    assert people.subject("C0001").roles == frozenset()
    with pytest.raises(DutySeparationError):
        services.countersign_change(left.change_id, officer=people.maker)
    signed = services.countersign_change(left.change_id, officer=people.checker)
    assert signed.state is ChangeState.COUNTERSIGNED
    assert StaffChange.objects.get(change_id=left.change_id).checker is not None


def test_nobody_proposes_or_decides_what_is_about_themselves(people: People) -> None:
    third = people.hire("S0003", Role.SECURITY_OFFICER)
    with pytest.raises(DutySeparationError):
        services.propose_change(ChangeKind.RESET_SIGN_IN, OFFICERS[0], officer=people.maker, reason="自己")
    about_second = propose(people, OFFICERS[1], ChangeKind.RESET_SIGN_IN)
    with pytest.raises(DutySeparationError):
        services.approve_change(about_second.change_id, officer=people.checker)
    assert services.approve_change(about_second.change_id, officer=third).code is not None


def test_the_last_two_officers_cannot_be_closed_and_the_refusal_is_on_record(people: People) -> None:
    with pytest.raises(LastOfficersError):
        propose(people, OFFICERS[1], ChangeKind.DISABLE_STAFF)
    assert refusals("change.propose") == 1
    assert not StaffChange.objects.exists()


def test_a_maker_who_lost_the_right_meanwhile_changes_nothing(people: People) -> None:
    third = people.hire("S0003", Role.SECURITY_OFFICER)
    made = services.propose_change(
        ChangeKind.REGISTER_AGENCY, "AG1", officer=third, reason="新合作", content={"name": "某催收公司"}
    )
    propose(people, "S0003", ChangeKind.DISABLE_STAFF)
    with pytest.raises(KuimenError):
        services.approve_change(made.change_id, officer=people.checker)
    assert not Agency.objects.exists()
    assert StaffChange.objects.get(change_id=made.change_id).state == ChangeState.PROPOSED.value


def test_every_state_and_event_follows_the_table(people: People) -> None:
    maker, checker = people.maker, people.checker
    calls: dict[ChangeEvent, Callable[[UUID], services.Decided]] = {
        ChangeEvent.APPROVE: lambda ref: services.approve_change(ref, officer=checker),
        ChangeEvent.REFUSE: lambda ref: services.refuse_change(ref, officer=checker, reason="不符"),
        ChangeEvent.COUNTERSIGN: lambda ref: services.countersign_change(ref, officer=checker),
        ChangeEvent.WITHDRAW: lambda ref: services.withdraw_change(ref, officer=maker),
    }
    for number, (state, event) in enumerate(product(ChangeState, calls)):
        made = propose(people, f"C{number:04}")
        row = StaffChange.objects.get(change_id=made.change_id)
        row.state, row.checker = state.value, Staff.objects.get(staff_no=OFFICERS[1])
        row.save()
        before = refusals(f"change.{event.value}")
        after = CHANGE_TRANSITIONS.get((state, event))
        if after is not None:
            assert calls[event](made.change_id).state is after
            continue
        with pytest.raises(ChangeTransitionError):
            calls[event](made.change_id)
        assert refusals(f"change.{event.value}") == before + 1
        assert StaffChange.objects.get(change_id=made.change_id).state == state.value


def test_overdue_proposals_are_closed_whether_or_not_the_job_has_run(people: People, system: System) -> None:
    late, later = propose(people, "C0001"), propose(people, "C0002")
    system.clock.advance(PROPOSAL_LIFETIME)
    with pytest.raises(ChangeTransitionError):
        services.approve_change(late.change_id, officer=people.checker)
    assert services.expire_due_changes() == 1
    assert StaffChange.objects.get(change_id=later.change_id).state == ChangeState.EXPIRED.value


def test_of_two_officers_at_once_one_approves(people: People) -> None:
    third = people.hire("S0003", Role.SECURITY_OFFICER)
    made = propose(people)
    checker = people.checker
    answers = at_once(
        lambda: services.approve_change(made.change_id, officer=checker),
        lambda: services.approve_change(made.change_id, officer=third),
    )
    assert sum(isinstance(answer, ChangeTransitionError) for answer in answers) == 1
    assert Staff.objects.filter(staff_no="C0001").count() == 1


def test_the_same_proposal_waits_once_and_bad_ones_are_named(people: People) -> None:
    propose(people)
    with pytest.raises(StaffExistsError):
        propose(people)
    with pytest.raises(StaffExistsError):
        propose(people, OFFICERS[0])
    with pytest.raises(StaffNotFoundError):
        propose(people, "C0404", ChangeKind.DISABLE_STAFF)
    for staff_no, content in (("c 1", {"display_name": "某"}), ("C0009", {"display_name": " "})):
        with pytest.raises(StaffInputError):
            services.propose_change(
                ChangeKind.REGISTER_STAFF, staff_no, officer=people.maker, reason="入职", content=content
            )


def test_a_collector_neither_proposes_nor_reads(people: People) -> None:
    collector = people.hire("C0001", Role.COLLECTOR)
    made = propose(people, "C0002")
    for attempt in (
        lambda: services.propose_change(ChangeKind.DISABLE_STAFF, OFFICERS[0], officer=collector, reason="乱来"),
        lambda: services.approve_change(made.change_id, officer=collector),
        lambda: staff_seen_by(collector),
        lambda: changes_seen_by(collector),
    ):
        with pytest.raises(NotPermittedError):
            attempt()


def test_officers_see_everybody_and_what_waits(people: People) -> None:
    people.hire("C0001", Role.COLLECTOR)
    register(people, "C0002")
    made = propose(people, "C0003")
    rows = {row.staff_no: row for row in staff_seen_by(people.checker)}
    assert rows["C0001"].roles == ("collector",)
    assert rows["C0001"].posts == ("collection",)
    assert rows["C0001"].second_factor
    assert rows["C0002"].awaits_activation
    assert [change.change_id for change in changes_seen_by(people.checker, waiting=True)] == [made.change_id]


def test_a_changed_password_ends_everything_else(people: People) -> None:
    people.hire("C0001", Role.COLLECTOR)
    token = people.token("C0001")
    for present, new in (("wrong", NEW_PASSWORD), (PASSWORD, PASSWORD), (PASSWORD, "short")):
        with pytest.raises((PasswordRefusedError, StaffInputError)):
            services.change_password("C0001", present=secret(present), new=secret(new))
    services.change_password("C0001", present=secret(PASSWORD), new=secret(NEW_PASSWORD))
    assert Staff.objects.get(staff_no="C0001").check_password(NEW_PASSWORD)
    with pytest.raises(KuimenError):
        services.subject_for_token(token)
    assert Entry.objects.filter(action="staff.change_password", outcome="done").count() == 1


def test_guessing_the_present_password_locks_the_account(people: People) -> None:
    people.hire("C0001")
    for _ in range(5):
        with pytest.raises(PasswordRefusedError):
            services.change_password("C0001", present=secret("wrong"), new=secret(NEW_PASSWORD))
    with pytest.raises(PasswordRefusedError):
        services.change_password("C0001", present=secret(PASSWORD), new=secret(NEW_PASSWORD))


def test_both_custodians_in_person_reset_an_officer_when_nobody_else_can(people: People) -> None:
    services.reset_in_person(OFFICERS[0], secret(NEW_PASSWORD), custodians=("K0001", "K0002"), actor=SYSTEM)
    assert not people.subject(OFFICERS[0]).mfa
    assert Staff.objects.get(staff_no=OFFICERS[0]).check_password(NEW_PASSWORD)
    assert Entry.objects.filter(action="staff.reset_in_person").count() == 1


def test_the_database_refuses_a_change_decided_by_its_maker(people: People, system: System) -> None:
    register(people)
    propose(people, "C0002")
    for statement in (
        b"UPDATE access_staff_change SET checker_id = maker_id",
        b"UPDATE access_staff_change SET state = 'applied'",
        b"DELETE FROM access_staff_change",
        b"DELETE FROM access_activation",
    ):
        with system.connect() as application, pytest.raises(psycopg.Error):
            application.execute(statement)
