"""People, posts and agencies: every change by two officers; the register for officers and auditors."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router, Schema
from pydantic import Field, StringConstraints

from kuimen.entrypoints.api.bodies import NO_NUL, StaffNo, Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.gate.access import services
from kuimen.gate.access.change_rules import ChangeKind, ChangeState
from kuimen.gate.access.personnel_rules import FileItem
from kuimen.gate.access.rules import ROLE_TITLES, Role, Subject
from kuimen.gate.access.services import reading
from kuimen.gate.access.services.changes import Decided

router = Router()

Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128, pattern=NO_NUL)]
PathStaffNo = Annotated[str, Path(pattern=r"^[A-Z0-9-]{1,32}$")]


class StaffOut(Schema):
    """A member of staff: work identity, posts, active roles; no e-mail, no phone."""

    staff_no: str
    display_name: str
    agency: str
    is_active: bool
    second_factor: bool
    awaits_activation: bool
    posts: list[str]
    roles: list[str]
    created_at: datetime
    left_at: datetime | None


class ChangeOut(Schema):
    """A change to people, posts or agencies; `checker` is empty while it waits."""

    change_id: UUID
    kind: ChangeKind
    state: ChangeState
    target: str
    content: dict[str, str]
    reason: str
    maker: str
    checker: str
    proposed_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decision_reason: str


class RoleOut(Schema):
    """A role that a post lists."""

    code: Role
    title_zh: str
    title_en: str


class PostOut(Schema):
    """A post with its matrix of roles."""

    code: str
    title_zh: str
    title_en: str
    roles: list[RoleOut]


class AgencyOut(Schema):
    """An outsourced agency; its code is the row scope of its people."""

    code: str
    name: str


class ChangeIn(Strict):
    """A change: `display_name` and `agency` go with register_staff, `name` with register_agency, `post` with posts."""

    kind: ChangeKind
    target: StaffNo
    reason: Words
    display_name: Name = ""
    agency: str = Field("", max_length=32, pattern=r"^[A-Z0-9-]*$")
    name: Name = ""
    post: str = Field("", max_length=64, pattern=r"^[a-z0-9-]*$")


class FileIn(Strict):
    """What was done about somebody; `evidence` is the number of the paper or course, never a finding."""

    item: FileItem
    done_on: date
    evidence: Words


class RefusalIn(Strict):
    """Why not."""

    reason: Words


@router.get("", response=list[StaffOut], summary="Members of staff")
def members(request: HttpRequest) -> list[StaffOut]:
    """Return the staff by number, at most 500, those who left last."""
    return [StaffOut.model_validate(view) for view in reading.staff_seen_by(caller_of(request))]


@router.get("/posts", response=list[PostOut], summary="Posts and their roles")
def posts(request: HttpRequest) -> list[PostOut]:
    """Return the role-post matrix."""
    return [
        PostOut(
            code=post.code,
            title_zh=post.title_zh,
            title_en=post.title_en,
            roles=[
                RoleOut(code=role, title_zh=ROLE_TITLES[role][0], title_en=ROLE_TITLES[role][1]) for role in post.roles
            ],
        )
        for post in reading.posts()
    ]


@router.get("/agencies", response=list[AgencyOut], summary="Outsourced agencies")
def agencies(request: HttpRequest) -> list[AgencyOut]:
    """Return the active agencies."""
    return [AgencyOut(code=code, name=name) for code, name in reading.agencies_seen_by(caller_of(request))]


@router.get("/changes", response=list[ChangeOut], summary="Changes, newest first")
def changes(request: HttpRequest, *, waiting: bool = False) -> list[ChangeOut]:
    """Return changes, at most 500; with `waiting` those that a second officer has to decide or countersign."""
    return [ChangeOut.model_validate(view) for view in reading.changes_seen_by(caller_of(request), waiting=waiting)]


@router.post("/changes", response=dict[str, object], summary="Make a change")
def propose(request: HttpRequest, response: HttpResponse, body: ChangeIn) -> Answer:
    """Make a change; what gives waits for another officer, what takes acts at once and is countersigned.

    Where an account is opened, `activation_code` is the first of two codes. It is told this once: the same call sent
    again answers without it.
    """
    subject = caller_of(request)
    given = {"display_name": body.display_name, "agency": body.agency, "name": body.name, "post": body.post}

    def deed() -> Decided:
        return services.propose_change(
            body.kind,
            body.target,
            officer=subject,
            reason=body.reason,
            content={name: text for name, text in given.items() if text},
        )

    return _once(request, response, subject, body.model_dump(mode="json"), deed)


@router.post("/changes/{change_id}/approve", response=dict[str, object], summary="Approve as the second officer")
def approve(request: HttpRequest, response: HttpResponse, change_id: UUID) -> Answer:
    """Carry the change out; where it opens an account, `activation_code` is the second code, told this once."""
    subject = caller_of(request)
    return _once(request, response, subject, {}, lambda: services.approve_change(change_id, officer=subject))


@router.post("/changes/{change_id}/refuse", response=dict[str, object], summary="Refuse")
def refuse(request: HttpRequest, response: HttpResponse, change_id: UUID, body: RefusalIn) -> Answer:
    """Refuse a change that waits."""
    subject = caller_of(request)
    return _once(
        request,
        response,
        subject,
        body.model_dump(mode="json"),
        lambda: services.refuse_change(change_id, officer=subject, reason=body.reason),
    )


@router.post("/changes/{change_id}/countersign", response=dict[str, object], summary="Countersign what took effect")
def countersign(request: HttpRequest, response: HttpResponse, change_id: UUID) -> Answer:
    """Countersign a change that took effect at once."""
    subject = caller_of(request)
    return _once(request, response, subject, {}, lambda: services.countersign_change(change_id, officer=subject))


@router.post("/changes/{change_id}/withdraw", response=dict[str, object], summary="Withdraw one's own proposal")
def withdraw(request: HttpRequest, response: HttpResponse, change_id: UUID) -> Answer:
    """Withdraw; anybody else's is not found."""
    subject = caller_of(request)
    return _once(request, response, subject, {}, lambda: services.withdraw_change(change_id, officer=subject))


@router.post("/{staff_no}/file", response=dict[str, object], summary="Record an entry of a personnel file")
def record_file(request: HttpRequest, staff_no: PathStaffNo, body: FileIn) -> Answer:
    """Record background check, confidentiality agreement or training; without them no role begins."""
    subject = caller_of(request)

    def act() -> Answer:
        services.record_personnel(staff_no, **body.model_dump(), officer=subject)
        return {"staff_no": staff_no, "item": body.item.value}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.get("/{staff_no}", response=StaffOut, summary="One member of staff")
def member(request: HttpRequest, staff_no: PathStaffNo) -> StaffOut:
    """Return one member of staff."""
    return StaffOut.model_validate(reading.staff_seen_by(caller_of(request), staff_no=staff_no)[0])


def _once(
    request: HttpRequest, response: HttpResponse, subject: Subject, body: Answer, deed: Callable[[], Decided]
) -> Answer:
    """Do it once; the code goes into this answer and not into what is kept for a second one."""
    told: list[str] = []

    def act() -> Answer:
        done = deed()
        if done.code is not None:
            told.append(done.code.reveal_for("activation slip"))
        return {"change_id": str(done.change_id), "state": done.state.value, "target": done.target}

    answer = do_once(request, subject, body, act)
    response["Cache-Control"] = "no-store"
    return {**answer, "activation_code": told[0]} if told else answer
