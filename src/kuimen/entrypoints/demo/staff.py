"""Hire the demonstration's staff: every role by application of one officer and approval of the other."""

from datetime import timedelta

from kuimen.entrypoints.demo.people import AGENCIES, OFFICERS, POSITIONS, SignIn, draw_password
from kuimen.entrypoints.demo.rules import release_rules
from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import services as access
from kuimen.gate.access.models import Staff
from kuimen.gate.access.personnel_rules import FileItem
from kuimen.gate.access.rules import Subject

TERM = timedelta(days=90)


def subject(staff_no: str) -> Subject:
    """Return a person with the rights of this moment."""
    return access.subject_of(Staff.objects.select_related("agency").get(staff_no=staff_no))


def enrol(staff_no: str, *, password: str, role: str) -> SignIn:
    """Bind an authenticator to an account and remember its seed for the printed sign-ins."""
    staff = Staff.objects.get(staff_no=staff_no)
    seed = access.enroll_totp(staff).reveal_for("printed demonstration sign-in")
    return SignIn(staff_no=staff_no, display_name=staff.display_name, role=role, password=password, seed=seed)


def complete_file(staff_no: str, *, officer: Subject) -> None:
    """Record background check, confidentiality and training, without which no role begins."""
    for item in FileItem:
        access.record_personnel(
            staff_no, item=item, done_on=clock.today(), evidence=f"演示档案 {item.value}", officer=officer
        )


def hire_everybody(officer_passwords: dict[str, str]) -> list[SignIn]:
    """Hire the demonstration's staff: one officer applies for each role, the other approves it."""
    sign_ins = [
        enrol(staff_no, password=password, role="security_officer") for staff_no, password in officer_passwords.items()
    ]
    maker, checker = (subject(staff_no) for staff_no, _ in OFFICERS)
    complete_file(maker.staff_no, officer=checker)
    complete_file(checker.staff_no, officer=maker)
    for code, name in AGENCIES:
        access.register_agency(code, name=name, officer=maker, second=checker)
    for position in POSITIONS:
        password = draw_password()
        access.register_staff(
            position.staff_no,
            display_name=position.display_name,
            password=Sensitive(password, element="password"),
            officer=maker,
            second=checker,
            agency=position.agency,
        )
        complete_file(position.staff_no, officer=maker)
        access.assign_post(position.staff_no, post=position.post, officer=maker, second=checker)
        grant = access.apply_for_role(
            position.staff_no,
            role=position.role,
            post=position.post,
            valid_until=clock.now() + TERM,
            applicant=maker,
            reason="演示任务",
        )
        access.approve_grant(grant, officer=checker)
        sign_ins.append(enrol(position.staff_no, password=password, role=position.role.value))
    release_rules(maker, checker)
    return sign_ins
