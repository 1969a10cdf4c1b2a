"""The demonstration's staff: invented work names, drawn passwords, every role by application and approval."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.access import services as access
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import Role, Subject, code_of_step, time_step

TERM = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One person of the demonstration."""

    staff_no: str
    display_name: str
    post: str
    role: Role
    agency: str = ""


OFFICERS = (("A001", "林守正"), ("A002", "江允衡"))
AGENCIES = (("AGY-EAST", "东川资产服务（演示）"), ("AGY-WEST", "西陵信用管理（演示）"))
POSITIONS = (
    Position(staff_no="B001", display_name="方慎行", post="engineering", role=Role.ENGINEER),
    Position(staff_no="B002", display_name="叶清和", post="data", role=Role.IMPORTER),
    Position(staff_no="C001", display_name="罗温言", post="collection-lead", role=Role.TEAM_LEADER),
    Position(staff_no="C101", display_name="夏知礼", post="collection", role=Role.COLLECTOR),
    Position(staff_no="E101", display_name="东川坐席甲", post="collection", role=Role.COLLECTOR, agency="AGY-EAST"),
    Position(staff_no="W101", display_name="西陵坐席甲", post="collection", role=Role.COLLECTOR, agency="AGY-WEST"),
    Position(staff_no="D001", display_name="严审明", post="audit", role=Role.AUDITOR),
    Position(staff_no="P001", display_name="钟评远", post="assessment", role=Role.ASSESSOR),
)


@dataclass(slots=True, kw_only=True)
class SignIn:
    """What one person signs in with; passwords and seeds of the demonstration only."""

    staff_no: str
    display_name: str
    role: str
    password: str = field(repr=False)
    seed: str = field(repr=False)

    def code(self, *, ahead: int = 0) -> str:
        """Return the code that the authenticator shows now."""
        return code_of_step(base64.b32decode(self.seed), time_step(clock.now()) + ahead)


def draw_password() -> str:
    """Draw a password of about 100 bits that fits the rules."""
    return f"Qutang-{secrets.token_urlsafe(12)}"


def subject(staff_no: str) -> Subject:
    """Return a person with the rights of this moment."""
    return access.subject_of(Staff.objects.select_related("agency").get(staff_no=staff_no))


def enrol(staff_no: str, *, password: str, role: str) -> SignIn:
    """Bind an authenticator to an account and remember its seed for the printed sign-ins."""
    staff = Staff.objects.get(staff_no=staff_no)
    seed = access.enroll_totp(staff).reveal_for("printed demonstration sign-in")
    return SignIn(staff_no=staff_no, display_name=staff.display_name, role=role, password=password, seed=seed)


def hire_everybody(officer_passwords: dict[str, str]) -> list[SignIn]:
    """Hire the demonstration's staff: one officer applies for each role, the other approves it."""
    sign_ins = [
        enrol(staff_no, password=password, role="security_officer") for staff_no, password in officer_passwords.items()
    ]
    maker, checker = (subject(staff_no) for staff_no, _ in OFFICERS)
    for code, name in AGENCIES:
        access.register_agency(code, name=name, officer=maker)
    for position in POSITIONS:
        password = draw_password()
        access.register_staff(
            position.staff_no,
            display_name=position.display_name,
            password=Sensitive(password, element="password"),
            officer=maker,
            agency=position.agency,
        )
        access.assign_post(position.staff_no, post=position.post, officer=maker)
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
    return sign_ins
