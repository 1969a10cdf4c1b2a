"""Role grants: apply, approve, refuse, withdraw, revoke. Maker and checker are two people, always."""

from datetime import datetime
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from kuimen.entrypoints.api.bodies import Moment, StaffNo, Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.gate.access import services
from kuimen.gate.access.rules import GrantState, Role
from kuimen.gate.access.services.reading import grants_seen_by

router = Router()


class GrantOut(Schema):
    """A role for a person by a post, limited in time."""

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


class ApplicationIn(Strict):
    """Who shall have which role by which post, until when and why; without `staff_no` it is for the caller."""

    staff_no: StaffNo | None = None
    role: Role
    post: str = Field(min_length=1, max_length=64, pattern=r"^[a-z0-9-]+$")
    valid_until: Moment
    reason: Words


class ReasonIn(Strict):
    """Why."""

    reason: Words


@router.get("", response=list[GrantOut], summary="Role grants, newest first")
def grants(request: HttpRequest, state: GrantState | None = None) -> list[GrantOut]:
    """Return grants: all of them for who may read staff, one's own for everybody else; at most 500."""
    return [GrantOut.model_validate(view) for view in grants_seen_by(caller_of(request), state=state)]


@router.post("", response=dict[str, object], summary="Apply for a role")
def apply(request: HttpRequest, body: ApplicationIn) -> Answer:
    """Apply; nothing is granted until another person approves."""
    subject = caller_of(request)

    def act() -> Answer:
        grant_id = services.apply_for_role(
            body.staff_no or subject.staff_no, role=body.role, post=body.post, valid_until=body.valid_until,
            applicant=subject, reason=body.reason,
        )  # fmt: skip
        return {"grant_id": str(grant_id)}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{grant_id}/approve", response=dict[str, object], summary="Approve as the second person")
def approve(request: HttpRequest, grant_id: UUID) -> Answer:
    """Approve; of two at once one wins, the other answers 409."""
    subject = caller_of(request)

    def act() -> Answer:
        return {"grant_id": str(grant_id), "state": services.approve_grant(grant_id, officer=subject).value}

    return do_once(request, subject, {}, act)


@router.post("/{grant_id}/refuse", response=dict[str, object], summary="Refuse")
def refuse(request: HttpRequest, grant_id: UUID, body: ReasonIn) -> Answer:
    """Refuse an application."""
    subject = caller_of(request)

    def act() -> Answer:
        services.refuse_grant(grant_id, officer=subject, reason=body.reason)
        return {"grant_id": str(grant_id), "state": GrantState.REFUSED.value}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{grant_id}/withdraw", response=dict[str, object], summary="Withdraw one's own application")
def withdraw(request: HttpRequest, grant_id: UUID) -> Answer:
    """Withdraw; anybody else's is not found."""
    subject = caller_of(request)

    def act() -> Answer:
        services.withdraw_grant(grant_id, applicant=subject)
        return {"grant_id": str(grant_id), "state": GrantState.WITHDRAWN.value}

    return do_once(request, subject, {}, act)


@router.post("/{grant_id}/revoke", response=dict[str, object], summary="Take a right back at once")
def revoke(request: HttpRequest, grant_id: UUID, body: ReasonIn) -> Answer:
    """Revoke; sessions and tokens that used the right end with it."""
    subject = caller_of(request)

    def act() -> Answer:
        services.revoke_grant(grant_id, officer=subject, reason=body.reason)
        return {"grant_id": str(grant_id), "state": GrantState.RECOVERED.value}

    return do_once(request, subject, body.model_dump(mode="json"), act)
