"""Lists of rights for those who decide on them: staff numbers, roles and dates, nothing about customers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kuimen.gate.access.models import RoleGrant
from kuimen.gate.access.policy import decide
from kuimen.gate.access.rules import Action, GrantState, Resource, Subject

LONGEST_LIST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantView:
    """One role grant; `decided_by` is empty while it waits."""

    grant_id: UUID
    staff_no: str
    role: str
    post: str
    state: GrantState
    reason: str
    valid_from: datetime
    valid_until: datetime
    applied_by: str
    applied_at: datetime
    decided_by: str
    ended_at: datetime | None


def grants_seen_by(subject: Subject, *, state: GrantState | None = None) -> list[GrantView]:
    """Return grants, newest first, at most 500: all for who may read staff, one's own and one's applications else."""
    rows = RoleGrant.objects.select_related("staff", "post", "applied_by", "decided_by").order_by("-applied_at")
    if not decide(subject, Action.STAFF_READ, Resource(kind="grant")).allowed:
        rows = rows.filter(staff__staff_no=subject.staff_no) | rows.filter(applied_by__staff_no=subject.staff_no)
    if state is not None:
        rows = rows.filter(state=state.value)
    return [
        GrantView(
            grant_id=row.grant_id,
            staff_no=row.staff.staff_no,
            role=row.role,
            post=row.post.code,
            state=GrantState(row.state),
            reason=row.reason,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            applied_by=row.applied_by.staff_no,
            applied_at=row.applied_at,
            decided_by=row.decided_by.staff_no if row.decided_by else "",
            ended_at=row.ended_at,
        )
        for row in rows[:LONGEST_LIST]
    ]
