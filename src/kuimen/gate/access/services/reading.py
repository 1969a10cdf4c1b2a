"""Lists of rights for those who decide on them: staff numbers, roles and dates, nothing about customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Prefetch

from kuimen.foundation import clock
from kuimen.gate.access.change_rules import WAITING_STATES, ChangeKind, ChangeState
from kuimen.gate.access.errors import StaffNotFoundError
from kuimen.gate.access.models import Activation, Agency, Post, Posting, RoleGrant, Staff, StaffChange
from kuimen.gate.access.policy import decide
from kuimen.gate.access.rules import Action, GrantState, Resource, Role, Subject
from kuimen.gate.access.services.subjects import require

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


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffView:
    """One member of staff as officers and auditors see them: work identity, posts, active roles."""

    staff_no: str
    display_name: str
    agency: str
    is_active: bool
    second_factor: bool
    awaits_activation: bool
    posts: tuple[str, ...]
    roles: tuple[str, ...]
    created_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One change to people, posts or agencies; `checker` is empty while it waits."""

    change_id: UUID
    kind: ChangeKind
    state: ChangeState
    target: str
    content: Mapping[str, str]
    reason: str
    maker: str
    checker: str
    proposed_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decision_reason: str

    @property
    def waits(self) -> bool:
        """Return whether a second officer has something to do."""
        return self.state in WAITING_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class PostView:
    """One post with the roles that its matrix lists."""

    code: str
    title_zh: str
    title_en: str
    roles: tuple[Role, ...]


def staff_seen_by(subject: Subject, *, staff_no: str = "") -> list[StaffView]:
    """Return the staff by number, those who left last, or one of them. Cost: four queries.

    Raises:
        NotPermittedError: `subject` may not read the register of staff.
        StaffNotFoundError: no such number.
    """
    require(subject, Action.STAFF_READ, Resource(kind="staff", ref=staff_no))
    at = clock.now()
    factor = Authenticator.objects.filter(user_id=OuterRef("pk"), type=Authenticator.Type.TOTP)
    waiting = Activation.objects.filter(staff=OuterRef("pk"), used_at__isnull=True, expires_at__gt=at)
    effective = RoleGrant.objects.filter(state=GrantState.ACTIVE.value, valid_from__lte=at, valid_until__gt=at)
    rows = (
        Staff.objects.select_related("agency")
        .annotate(has_factor=Exists(factor), has_activation=Exists(waiting))
        .prefetch_related(
            Prefetch("postings", Posting.objects.filter(ended_at__isnull=True).select_related("post"), "present"),
            Prefetch("grants", effective, "effective"),
        )
        .order_by("-is_active", "staff_no")
    )
    if staff_no:
        rows = rows.filter(staff_no=staff_no)
    found = [
        StaffView(
            staff_no=row.staff_no,
            display_name=row.display_name,
            agency=row.agency.code if row.agency else "",
            is_active=row.is_active,
            second_factor=row.has_factor,
            awaits_activation=row.has_activation,
            posts=tuple(sorted(posting.post.code for posting in row.present)),
            roles=tuple(sorted({grant.role for grant in row.effective})),
            created_at=row.created_at,
            left_at=row.left_at,
        )
        for row in rows[:LONGEST_LIST]
    ]
    if staff_no and not found:
        raise StaffNotFoundError("staff_no: no such member of staff")
    return found


def changes_seen_by(subject: Subject, *, waiting: bool = False, target: str = "") -> list[ChangeView]:
    """Return changes, newest first, at most 500; only those that wait, or of one person or agency, where asked.

    Raises:
        NotPermittedError: `subject` may not read the register of staff.
    """
    require(subject, Action.STAFF_READ, Resource(kind="staff", ref=target))
    rows = StaffChange.objects.select_related("maker", "checker").order_by("-proposed_at")
    if waiting:
        rows = rows.filter(state=ChangeState.EFFECTIVE.value) | rows.filter(
            state=ChangeState.PROPOSED.value, expires_at__gt=clock.now()
        )
    if target:
        rows = rows.filter(target=target)
    return [
        ChangeView(
            change_id=row.change_id,
            kind=ChangeKind(row.kind),
            state=ChangeState(row.state),
            target=row.target,
            content=row.content,
            reason=row.reason,
            maker=row.maker.staff_no,
            checker=row.checker.staff_no if row.checker else "",
            proposed_at=row.proposed_at,
            expires_at=row.expires_at,
            decided_at=row.decided_at,
            decision_reason=row.decision_reason,
        )
        for row in rows[:LONGEST_LIST]
    ]


def posts() -> list[PostView]:
    """Return every post with its matrix of roles, by code."""
    return [
        PostView(
            code=row.code,
            title_zh=row.title_zh,
            title_en=row.title_en,
            roles=tuple(sorted(Role(item.role) for item in row.roles.all())),
        )
        for row in Post.objects.prefetch_related("roles").order_by("code")
    ]


def agencies_seen_by(subject: Subject) -> list[tuple[str, str]]:
    """Return code and name of the active agencies.

    Raises:
        NotPermittedError: `subject` may not read the register of staff.
    """
    require(subject, Action.STAFF_READ, Resource(kind="agency"))
    return list(Agency.objects.filter(is_active=True).order_by("code").values_list("code", "name"))
