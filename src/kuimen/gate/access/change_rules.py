"""Changes to people, posts and agencies: two officers for each; what gives waits for the second, what takes acts first.

Taking a right away must not wait until a colleague is awake, so it takes effect at once and the second officer
countersigns it. Giving one never takes effect before the second officer has agreed.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kuimen.gate.access.rules import Action

PROPOSAL_LIFETIME: Final = timedelta(days=7)
COUNTERSIGN_WITHIN: Final = timedelta(days=3)
ACTIVATION_LIFETIME: Final = timedelta(hours=72)
WRONG_ACTIVATIONS: Final = 5
CODE_GROUPS: Final = 3
CODE_GROUP_SIGNS: Final = 4
CODE_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs, none that is mistaken for another on paper


class ChangeKind(StrEnum):
    """What is changed."""

    REGISTER_STAFF = "register_staff"
    RESET_SIGN_IN = "reset_sign_in"
    ASSIGN_POST = "assign_post"
    REGISTER_AGENCY = "register_agency"
    END_POST = "end_post"
    DISABLE_STAFF = "disable_staff"


class ChangeState(StrEnum):
    """Life of a change."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    EFFECTIVE = "effective"
    COUNTERSIGNED = "countersigned"


class ChangeEvent(StrEnum):
    """What can happen to a change."""

    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    COUNTERSIGN = "countersign"


CHANGE_TRANSITIONS: Final[Mapping[tuple[ChangeState, ChangeEvent], ChangeState]] = MappingProxyType(
    {
        (ChangeState.PROPOSED, ChangeEvent.APPROVE): ChangeState.APPLIED,
        (ChangeState.PROPOSED, ChangeEvent.REFUSE): ChangeState.REFUSED,
        (ChangeState.PROPOSED, ChangeEvent.WITHDRAW): ChangeState.WITHDRAWN,
        (ChangeState.PROPOSED, ChangeEvent.EXPIRE): ChangeState.EXPIRED,
        (ChangeState.EFFECTIVE, ChangeEvent.COUNTERSIGN): ChangeState.COUNTERSIGNED,
    }
)
WAITING_STATES: Final = frozenset({ChangeState.PROPOSED, ChangeState.EFFECTIVE})
TAKING_KINDS: Final = frozenset({ChangeKind.END_POST, ChangeKind.DISABLE_STAFF})
ACTIVATED_KINDS: Final = frozenset({ChangeKind.REGISTER_STAFF, ChangeKind.RESET_SIGN_IN})  # hand over two codes

CHANGE_ACTIONS: Final[Mapping[ChangeKind, Action]] = MappingProxyType(
    {
        ChangeKind.REGISTER_STAFF: Action.STAFF_REGISTER,
        ChangeKind.RESET_SIGN_IN: Action.STAFF_RESET_FACTOR,
        ChangeKind.ASSIGN_POST: Action.POST_ASSIGN,
        ChangeKind.REGISTER_AGENCY: Action.AGENCY_REGISTER,
        ChangeKind.END_POST: Action.POST_ASSIGN,
        ChangeKind.DISABLE_STAFF: Action.STAFF_DISABLE,
    }
)
CHANGE_TITLES: Final[Mapping[ChangeKind, tuple[str, str]]] = MappingProxyType(
    {
        ChangeKind.REGISTER_STAFF: ("登记员工", "Register staff"),
        ChangeKind.RESET_SIGN_IN: ("重置口令与验证器", "Reset password and authenticator"),
        ChangeKind.ASSIGN_POST: ("定岗", "Assign a post"),
        ChangeKind.REGISTER_AGENCY: ("登记委外机构", "Register an agency"),
        ChangeKind.END_POST: ("离岗", "End a post"),
        ChangeKind.DISABLE_STAFF: ("停用账户", "Close an account"),
    }
)
STATE_TITLES: Final[Mapping[ChangeState, tuple[str, str]]] = MappingProxyType(
    {
        ChangeState.PROPOSED: ("待复核", "Waits for the second officer"),
        ChangeState.APPLIED: ("已生效", "In effect"),
        ChangeState.REFUSED: ("已驳回", "Refused"),
        ChangeState.WITHDRAWN: ("已撤回", "Withdrawn"),
        ChangeState.EXPIRED: ("已过期", "Expired"),
        ChangeState.EFFECTIVE: ("已生效，待会签", "In effect, to be countersigned"),
        ChangeState.COUNTERSIGNED: ("已会签", "Countersigned"),
    }
)


def next_change_state(state: ChangeState, event: ChangeEvent) -> ChangeState | None:
    """Return the state after `event`, or None where the table does not allow it."""
    return CHANGE_TRANSITIONS.get((state, event))


def first_state(kind: ChangeKind) -> ChangeState:
    """Return where a change of this kind begins."""
    return ChangeState.EFFECTIVE if kind in TAKING_KINDS else ChangeState.PROPOSED


def code_from(random: bytes) -> str:
    """Return an activation code such as ``7KQM-2XHB-P9RT`` from at least twelve random bytes."""
    signs = [CODE_ALPHABET[byte & 31] for byte in random[: CODE_GROUPS * CODE_GROUP_SIGNS]]
    groups = ["".join(signs[start : start + CODE_GROUP_SIGNS]) for start in range(0, len(signs), CODE_GROUP_SIGNS)]
    return "-".join(groups)


def code_digest(code: str) -> str:
    """Return the SM3 digest of a code as people type it: case, blanks and hyphens do not matter."""
    kept = "".join(sign for sign in code.upper() if sign in CODE_ALPHABET)
    return hashlib.new("sm3", kept.encode()).hexdigest()


def codes_match(stored: tuple[str, str], typed: tuple[str, str]) -> bool:
    """Compare both codes in constant time, in either order: two slips of paper have none."""
    first, second = (code_digest(code) for code in typed)
    straight = hmac.compare_digest(stored[0] + stored[1], first + second)
    crossed = hmac.compare_digest(stored[0] + stored[1], second + first)
    return straight or crossed
