"""Who works in the demonstration, and what they sign in with."""

import base64
import secrets
from dataclasses import dataclass, field

from kuimen.foundation import clock
from kuimen.gate.access.rules import Role, code_of_step, time_step


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
