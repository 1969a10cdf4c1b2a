"""Role grants: applied for by one person, decided by another, limited in time, recovered when they end."""

from datetime import datetime
from typing import NoReturn
from uuid import UUID

from django.db import IntegrityError, transaction

from kuimen.foundation import clock
from kuimen.gate.access.errors import (
    GrantTransitionError,
    LastOfficersError,
    PersonnelFileError,
    StaffExistsError,
    StaffInputError,
    StaffNotFoundError,
)
from kuimen.gate.access.models import Post, PostRole, RoleGrant, Staff
from kuimen.gate.access.personnel_rules import FileItem
from kuimen.gate.access.rules import (
    AGENCY_ROLES,
    LONGEST_GRANT,
    OPEN_GRANT_STATES,
    Action,
    GrantEvent,
    GrantState,
    Resource,
    Role,
    Subject,
    conflicting_roles,
    next_grant_state,
)
from kuimen.gate.access.services.personnel import file_gaps
from kuimen.gate.access.services.sessions import end_everything
from kuimen.gate.access.services.subjects import actor_of, refuse, require
from kuimen.gate.audit.services import SYSTEM, Actor, record, record_refusal

SWEEP_ROWS = 500
LEAST_OFFICERS = 2  # with fewer, nobody could approve a grant ever again


def apply_for_role(
    staff_no: str,
    *,
    role: str,
    post: str,
    valid_until: datetime,
    applicant: Subject,
    reason: str,
    valid_from: datetime | None = None,
) -> UUID:
    """Apply for a role for a person by a post that the person holds.

    Args:
        staff_no: who shall have it.
        role: a value of `Role`.
        post: code of a post the person holds and whose matrix lists the role.
        valid_until: when it ends by itself, aware, at most 366 days after `valid_from`.
        applicant: who applies: the person, or a security officer for another.
        reason: why, in words without personal numbers.
        valid_from: when it begins, aware; None for as soon as approved.

    Returns:
        The grant's identifier.

    Raises:
        NotPermittedError, StaffNotFoundError: the applicant may not apply for this person; no such open account.
        DutySeparationError: the role may not be combined with one the person has, or is not for outsourced staff.
        StaffInputError: role, post, dates or reason break their rule.
        StaffExistsError: the same application is waiting already.
    """
    target = Resource(kind="grant", beneficiary=staff_no)
    require(applicant, Action.GRANT_APPLY, target)
    at = clock.now()
    begins = valid_from or at
    wanted = _checked_role(role)
    _check_dates(begins, valid_until, at=at, reason=reason)
    duty_conflict = None
    try:
        with transaction.atomic():
            staff = _locked_staff(staff_no)
            held = _post_for(staff, post, wanted)
            duty_conflict = _duty_conflict(staff, wanted)
            if duty_conflict is None:
                grant = RoleGrant.objects.create(
                    staff=staff,
                    role=wanted.value,
                    post=held,
                    state=GrantState.APPLIED.value,
                    reason=reason,
                    valid_from=begins,
                    valid_until=valid_until,
                    applied_by=Staff.objects.get(staff_no=applicant.staff_no),
                    applied_at=at,
                )
                _record(grant, "grant.apply", actor=actor_of(applicant), facts={"reason": reason})
                return grant.grant_id
    except IntegrityError:
        raise StaffExistsError("role: an application for this person and role is waiting already") from None
    refuse(applicant, Action.GRANT_APPLY, target, reason=duty_conflict)
    return None


def approve_grant(grant_id: UUID, *, officer: Subject) -> GrantState:
    """Approve an application as another person than its maker and its beneficiary; it begins at its date.

    Two officers at once: one approves, the other finds it decided.

    Raises:
        DutySeparationError: one's own application or benefit, or a role taken meanwhile that does not combine.
        PersonnelFileError: background check, confidentiality agreement or valid training is missing; recorded.
        NotPermittedError, StaffNotFoundError, GrantTransitionError: no right, no such grant, not waiting.
    """
    seen = _permitted_to_decide(grant_id, officer)
    at = clock.now()
    duty_conflict = None
    gaps: list[FileItem] = []
    with transaction.atomic():
        staff = _locked_staff(seen.staff.staff_no)
        grant = _locked(grant_id)
        approved = next_grant_state(GrantState(grant.state), GrantEvent.APPROVE)
        duty_conflict = _duty_conflict(staff, Role(grant.role)) if approved else None
        gaps = file_gaps([staff.pk])[staff.pk] if approved else []
        if approved and duty_conflict is None and not gaps and at < grant.valid_until:
            grant.decided_by = Staff.objects.get(staff_no=officer.staff_no)
            grant.decided_at = at
            state = next_grant_state(approved, GrantEvent.START) if grant.valid_from <= at else approved
            grant.state = (state or approved).value
            grant.save(update_fields=["decided_by", "decided_at", "state"])
            _record(grant, "grant.approve", actor=actor_of(officer))
            return GrantState(grant.state)
    if gaps:
        record_refusal(
            "grant.approve",
            actor=actor_of(officer),
            object_type="grant",
            object_ref=str(grant_id),
            facts={"reason": PersonnelFileError.code, "gaps": [gap.value for gap in gaps]},
        )
        raise PersonnelFileError(f"staff_no: the personnel file lacks {', '.join(gaps)}; record it first")
    if duty_conflict is not None:
        refuse(officer, Action.GRANT_DECIDE, Resource(kind="grant", ref=str(grant_id)), reason=duty_conflict)
    _refuse_transition(grant_id, GrantEvent.APPROVE, actor=actor_of(officer))
    return None


def refuse_grant(grant_id: UUID, *, officer: Subject, reason: str) -> None:
    """Refuse an application; errors as in :func:`approve_grant`."""
    _permitted_to_decide(grant_id, officer)
    at = clock.now()
    with transaction.atomic():
        grant = _locked(grant_id)
        after = next_grant_state(GrantState(grant.state), GrantEvent.REFUSE)
        if after is not None:
            grant.decided_by = Staff.objects.get(staff_no=officer.staff_no)
            grant.state, grant.decided_at, grant.ended_at, grant.end_reason = after.value, at, at, reason
            grant.save(update_fields=["decided_by", "state", "decided_at", "ended_at", "end_reason"])
            _record(grant, "grant.refuse", actor=actor_of(officer), facts={"reason": reason})
            return
    _refuse_transition(grant_id, GrantEvent.REFUSE, actor=actor_of(officer))


def withdraw_grant(grant_id: UUID, *, applicant: Subject) -> None:
    """Withdraw a waiting application, as its maker or its beneficiary; of anybody else's it says not found."""
    with transaction.atomic():
        grant = _locked(grant_id)
        if applicant.staff_no not in {grant.applied_by.staff_no, grant.staff.staff_no}:
            raise StaffNotFoundError("grant_id: no such grant")
        after = next_grant_state(GrantState(grant.state), GrantEvent.WITHDRAW)
        if after is not None:
            grant.state, grant.ended_at = after.value, clock.now()
            grant.save(update_fields=["state", "ended_at"])
            _record(grant, "grant.withdraw", actor=actor_of(applicant))
            return
    _refuse_transition(grant_id, GrantEvent.WITHDRAW, actor=actor_of(applicant))


def revoke_grant(grant_id: UUID, *, officer: Subject, reason: str) -> None:
    """Take a grant back at once: the right ends, sessions and tokens that used it end, the grant is recovered.

    Raises:
        NotPermittedError, StaffNotFoundError, GrantTransitionError: no right, no such grant, not running.
        LastOfficersError: fewer than two security officers would remain.
    """
    require(officer, Action.GRANT_REVOKE, Resource(kind="grant", ref=str(grant_id)))
    with transaction.atomic():
        grant = _locked(grant_id)
        if next_grant_state(GrantState(grant.state), GrantEvent.REVOKE) is not None:
            keep_officers([grant])
            recover(grant, GrantEvent.REVOKE, actor=actor_of(officer), reason=reason)
            return
    _refuse_transition(grant_id, GrantEvent.REVOKE, actor=actor_of(officer))


def expire_due_grants() -> int:
    """Begin and end grants whose dates have come, and recover the ended ones; for the worker, every few minutes.

    A grant gives no right outside its dates whether or not this has run.

    Returns:
        How many grants ended.
    """
    at = clock.now()
    with transaction.atomic():
        waiting = RoleGrant.objects.select_for_update(of=("self",), skip_locked=True).filter(
            state=GrantState.APPROVED.value, valid_from__lte=at, valid_until__gt=at
        )
        for grant in waiting.select_related("staff", "post")[:SWEEP_ROWS]:
            grant.state = GrantState.ACTIVE.value
            grant.save(update_fields=["state"])
            _record(grant, "grant.start", actor=SYSTEM)
        due = RoleGrant.objects.select_for_update(of=("self",), skip_locked=True).filter(
            state__in=[GrantState.APPROVED.value, GrantState.ACTIVE.value], valid_until__lte=at
        )
        ended = 0
        for grant in due.select_related("staff", "post")[:SWEEP_ROWS]:
            recover(grant, GrantEvent.EXPIRE, actor=SYSTEM, reason="valid_until")
            ended += 1
    return ended


def recover(grant: RoleGrant, event: GrantEvent, *, actor: Actor, reason: str) -> None:
    """End a running grant by `event` and recover it; the caller holds the row and the transaction."""
    ended = next_grant_state(GrantState(grant.state), event)
    recovered = next_grant_state(ended, GrantEvent.RECOVER) if ended else None
    if ended is None or recovered is None:
        raise GrantTransitionError(f"grant: {event.value} is not possible from {grant.state}; read it again")
    at = clock.now()
    taken = end_everything(grant.staff, reason=f"grant_{ended.value}")
    grant.state, grant.ended_at, grant.recovered_at, grant.end_reason = recovered.value, at, at, reason
    grant.save(update_fields=["state", "ended_at", "recovered_at", "end_reason"])
    _record(grant, f"grant.{event.value}", actor=actor, facts={**taken, "reason": reason})


def keep_officers(ending: list[RoleGrant]) -> None:
    """Refuse to end grants after which fewer than two effective security officers would remain.

    Raises:
        LastOfficersError: appoint a successor first.
    """
    if not any(grant.role == Role.SECURITY_OFFICER.value for grant in ending):
        return
    at = clock.now()
    remaining = (
        RoleGrant.objects.filter(
            role=Role.SECURITY_OFFICER.value,
            state=GrantState.ACTIVE.value,
            valid_from__lte=at,
            valid_until__gt=at,
            staff__is_active=True,
        )
        .exclude(grant_id__in=[grant.grant_id for grant in ending])
        .values("staff_id")
        .distinct()
        .count()
    )
    if remaining < LEAST_OFFICERS:
        raise LastOfficersError("role: two security officers must remain; let a successor be approved first")


def _permitted_to_decide(grant_id: UUID, officer: Subject) -> RoleGrant:
    grant = RoleGrant.objects.select_related("staff", "applied_by").filter(grant_id=grant_id).first()
    if grant is None:
        raise StaffNotFoundError("grant_id: no such grant")
    target = Resource(
        kind="grant",
        ref=str(grant_id),
        maker=grant.applied_by.staff_no,
        beneficiary=grant.staff.staff_no,
    )
    require(officer, Action.GRANT_DECIDE, target)
    return grant


def _locked(grant_id: UUID) -> RoleGrant:
    grant = (
        RoleGrant.objects.select_for_update(of=("self",))
        .select_related("staff", "applied_by", "post")
        .filter(grant_id=grant_id)
        .first()
    )
    if grant is None:
        raise StaffNotFoundError("grant_id: no such grant")
    return grant


def _locked_staff(staff_no: str) -> Staff:
    # One row lock per person orders all changes of that person's rights.
    staff = Staff.objects.select_for_update(of=("self",), no_key=True).filter(staff_no=staff_no, is_active=True).first()
    if staff is None:
        raise StaffNotFoundError("staff_no: no such member of staff")
    return staff


def _post_for(staff: Staff, code: str, role: Role) -> Post:
    posting = staff.postings.filter(post__code=code, ended_at__isnull=True).select_related("post").first()
    if posting is None or not PostRole.objects.filter(post=posting.post, role=role.value).exists():
        raise StaffInputError("post: the person does not hold it, or its matrix does not list the role")
    return posting.post


def _duty_conflict(staff: Staff, wanted: Role) -> str | None:
    if staff.agency_id is not None and wanted not in AGENCY_ROLES:
        return "role-not-for-agency"
    held = RoleGrant.objects.filter(
        staff=staff, state__in=[state.value for state in OPEN_GRANT_STATES], valid_until__gt=clock.now()
    ).values_list("role", flat=True)
    return "roles-must-stay-apart" if conflicting_roles({wanted, *(Role(role) for role in held)}) else None


def _checked_role(role: str) -> Role:
    if role not in Role.__members__.values():
        raise StaffInputError("role: no such role; see the role catalogue")
    return Role(role)


def _check_dates(begins: datetime, ends: datetime, *, at: datetime, reason: str) -> None:
    if begins.tzinfo is None or ends.tzinfo is None:
        raise StaffInputError("valid_from, valid_until: give moments with a time zone")
    if ends <= max(begins, at):
        raise StaffInputError("valid_until: must lie after the beginning and in the future")
    if ends - begins > LONGEST_GRANT:
        raise StaffInputError("valid_until: a grant lasts 366 days at most")
    if not reason.strip():
        raise StaffInputError("reason: say why the role is needed")


def _refuse_transition(grant_id: UUID, event: GrantEvent, *, actor: Actor) -> NoReturn:
    record_refusal(
        f"grant.{event.value}",
        actor=actor,
        object_type="grant",
        object_ref=str(grant_id),
        facts={"reason": "transition_not_allowed"},
    )
    raise GrantTransitionError(f"grant: {event.value} is not possible in its present state; read it again")


def _record(grant: RoleGrant, action: str, *, actor: Actor, facts: dict[str, str | int] | None = None) -> None:
    record(
        action,
        actor=actor,
        object_type="grant",
        object_ref=str(grant.grant_id),
        facts={
            "staff_no": grant.staff.staff_no,
            "role": grant.role,
            "post": grant.post.code,
            "state": grant.state,
            "valid_from": grant.valid_from.isoformat(),
            "valid_until": grant.valid_until.isoformat(),
            **(facts or {}),
        },
    )
