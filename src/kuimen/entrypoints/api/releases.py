"""Analysis releases: apply, decide as the second person, compute, fetch, end; the demands for deletion that wait."""

from datetime import date, datetime
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema
from pydantic import Field

from kuimen.entrypoints.api.bodies import Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.gate.access.rules import Purpose
from kuimen.gate.retention.rules import RetentionClass
from kuimen.governance.releases import services
from kuimen.governance.releases.rules import FIELDS, Form, RecipientKind, ReleaseState
from kuimen.governance.releases.services import Application
from kuimen.kernels.anonymity import Standing

router = Router()


class ReleaseOut(Schema):
    """A release; `standing` is what it may call itself, null until it was computed."""

    release_id: UUID
    title: str
    purpose: Purpose
    reason: str
    recipient: str
    recipient_kind: RecipientKind
    form: Form
    columns: list[str]
    pseudonym: bool
    k: int
    l_distinct: int
    t: float
    keep_until: date
    state: ReleaseState
    applied_by: str
    applied_at: datetime
    decided_by: str
    decision_reason: str
    computed_at: datetime | None
    measured: dict[str, object]
    standing: Standing | None
    rows: int
    persons: int
    suppressed: int
    body_sm3: str
    fetched: int
    ended_at: datetime | None
    confirm_by: date | None
    confirmation: str
    overdue: bool


class ApplicationIn(Strict):
    """What is applied for; bounds left out are those of the policy, others may only be stricter."""

    title: str = Field(min_length=2, max_length=120, pattern=r"^[^\x00]*$")
    purpose: Purpose
    reason: Words
    recipient: str = Field(min_length=2, max_length=160, pattern=r"^[^\x00]*$")
    recipient_kind: RecipientKind
    columns: list[str] = Field(min_length=1, max_length=len(FIELDS), description=", ".join(FIELDS))
    keep_until: date
    form: Form = Form.ROWS
    pseudonym: bool = True
    k: int | None = Field(default=None, ge=2, le=100_000)
    l_distinct: int | None = Field(default=None, ge=1, le=1000)
    t: float | None = Field(default=None, ge=0, le=1)


class ReasonIn(Strict):
    """Why, or which document says so."""

    reason: Words


class DemandOut(Schema):
    """A recipient that was told to delete one person; `pseudonym` is how it finds the row, while the key exists."""

    export_id: UUID
    person_ref: UUID
    retention_class: RetentionClass
    recipient: str
    reference: str
    demanded_at: datetime
    due_on: date
    pseudonym: str


@router.get("", response=list[ReleaseOut], summary="Releases")
def releases(request: HttpRequest, state: ReleaseState | None = None) -> list[ReleaseOut]:
    """Return releases, the newest first; at most 500."""
    return [ReleaseOut.model_validate(one) for one in services.releases_seen_by(caller_of(request), state=state)]


@router.get("/demands", response=list[DemandOut], summary="Demands for deletion that wait")
def demands(request: HttpRequest) -> list[DemandOut]:
    """Return what recipients were told to delete and have not confirmed, the oldest first."""
    return [
        DemandOut(
            export_id=line.demand.export_id,
            person_ref=line.demand.person_ref,
            retention_class=line.demand.retention_class,
            recipient=line.demand.recipient,
            reference=line.demand.reference,
            demanded_at=line.demand.demanded_at,
            due_on=line.due_on,
            pseudonym=line.pseudonym,
        )
        for line in services.demands(reader=caller_of(request))
    ]


@router.post("/demands/{export_id}/confirm", response=dict[str, object], summary="A recipient deleted one person")
def confirm_person(request: HttpRequest, export_id: UUID, body: ReasonIn) -> Answer:
    """Enter the recipient's confirmation; `reason` names the document."""
    subject = caller_of(request)

    def act() -> Answer:
        services.confirm_person(export_id, officer=subject, confirmation=body.reason)
        return {"export_id": str(export_id), "state": "confirmed"}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.get("/{release_id}", response=ReleaseOut, summary="One release")
def one(request: HttpRequest, release_id: UUID) -> ReleaseOut:
    """Return one release with what was measured."""
    return ReleaseOut.model_validate(services.release_seen_by(caller_of(request), release_id))


@router.post("", response=dict[str, object], summary="Apply for a release")
def apply(request: HttpRequest, body: ApplicationIn) -> Answer:
    """Apply; nothing is computed until another person approves."""
    subject = caller_of(request)

    def act() -> Answer:
        return {"release_id": str(services.apply(Application(**body.model_dump()), applicant=subject))}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{release_id}/approve", response=dict[str, object], summary="Approve as the second person")
def approve(request: HttpRequest, release_id: UUID) -> Answer:
    """Approve; the applicant can't."""
    subject = caller_of(request)
    return do_once(request, subject, {}, lambda: _state(release_id, services.approve(release_id, officer=subject)))


@router.post("/{release_id}/refuse", response=dict[str, object], summary="Refuse an application")
def refuse(request: HttpRequest, release_id: UUID, body: ReasonIn) -> Answer:
    """Refuse an application."""
    subject = caller_of(request)

    def act() -> Answer:
        return _state(release_id, services.refuse(release_id, officer=subject, reason=body.reason))

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{release_id}/withdraw", response=dict[str, object], summary="Withdraw one's own application")
def withdraw(request: HttpRequest, release_id: UUID) -> Answer:
    """Withdraw; anybody else's is not found."""
    subject = caller_of(request)
    return do_once(request, subject, {}, lambda: _state(release_id, services.withdraw(release_id, applicant=subject)))


@router.post("/{release_id}/release", response=dict[str, object], summary="Compute what was approved")
def release(request: HttpRequest, release_id: UUID) -> Answer:
    """Compute; refused with the measured figures when the bounds are missed."""
    subject = caller_of(request)

    def act() -> Answer:
        done = services.release(release_id, applicant=subject)
        return {
            "release_id": str(release_id),
            "state": done.state.value,
            "standing": done.standing.value if done.standing else None,
            "rows": done.rows,
            "measured": dict(done.measured),
        }

    answer = do_once(request, subject, {}, act)
    services.require_released(services.release_seen_by(subject, release_id))
    return answer


@router.post("/{release_id}/fetch", summary="Fetch the package as CSV")
def fetch(request: HttpRequest, release_id: UUID) -> HttpResponse:
    """Return the package; every time is recorded, and none is kept in a cache."""
    view = services.release_seen_by(caller_of(request), release_id)
    body = services.fetch(release_id, reader=caller_of(request))
    standing = view.standing.value if view.standing else ""
    answer = HttpResponse(body, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="release-{release_id}-{standing}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


@router.post("/{release_id}/end", response=dict[str, object], summary="End it and destroy its key")
def end(request: HttpRequest, release_id: UUID, body: ReasonIn) -> Answer:
    """End a release; the recipient is told to delete."""
    subject = caller_of(request)

    def act() -> Answer:
        return _state(release_id, services.end(release_id, actor_subject=subject, reason=body.reason))

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{release_id}/confirm", response=dict[str, object], summary="The recipient deleted the package")
def confirm(request: HttpRequest, release_id: UUID, body: ReasonIn) -> Answer:
    """Enter the recipient's confirmation; `reason` names the document."""
    subject = caller_of(request)

    def act() -> Answer:
        return _state(release_id, services.confirm(release_id, officer=subject, confirmation=body.reason))

    return do_once(request, subject, body.model_dump(mode="json"), act)


def _state(release_id: UUID, state: ReleaseState) -> Answer:
    return {"release_id": str(release_id), "state": state.value}
