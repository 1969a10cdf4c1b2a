"""Rules, plans and customer texts of the institution: draft, decide as the second person, acknowledge."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StringConstraints

from kuimen.entrypoints.api.bodies import NO_NUL, Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.governance.documents import services
from kuimen.governance.documents.rules import LONGEST_BODY, TextKind, TextState, Topic
from kuimen.governance.documents.services import Draft

router = Router()

Text = Annotated[str, StringConstraints(max_length=LONGEST_BODY, pattern=NO_NUL)]


class TextOut(Schema):
    """One version; `decided_by` is empty while it waits."""

    text_id: UUID
    kind: TextKind
    code: str
    version: int
    title: str
    body_sm3: str
    topics: list[Topic]
    owner_post: str
    review_by: date
    state: TextState
    drafted_by: str
    drafted_at: datetime
    decided_by: str
    decided_at: datetime | None
    decision_reason: str
    acknowledged: int
    overdue: bool


class WholeText(TextOut):
    """One version with its words."""

    body: str


class DraftIn(Strict):
    """The next version of a document; `review_by` lies within 366 days."""

    kind: TextKind
    code: str = Field(max_length=64, pattern=r"^[a-z][a-z0-9-]+$")
    title: Words
    body: Text
    topics: list[Topic] = Field(max_length=16)
    owner_post: str = Field(max_length=32, pattern=r"^[a-z0-9-]+$")
    review_by: date


class ReasonIn(Strict):
    """Why."""

    reason: Words


@router.get("", response=list[TextOut], summary="Documents")
def texts(request: HttpRequest, state: TextState | None = None, kind: TextKind | None = None) -> list[TextOut]:
    """Return documents by code, the newest version first, without their words."""
    found = services.texts_seen_by(caller_of(request), state=state, kind=kind)
    return [TextOut.model_validate(view) for view in found]


@router.get("/{text_id}", response=WholeText, summary="One version with its words")
def one(request: HttpRequest, text_id: UUID) -> WholeText:
    """Return one version."""
    return WholeText.model_validate(services.text_seen_by(caller_of(request), text_id))


@router.post("", response=dict[str, object], summary="Draft the next version")
def draft(request: HttpRequest, body: DraftIn) -> Answer:
    """Put a version forward; nothing is in force until another person approves."""
    subject = caller_of(request)

    def act() -> Answer:
        return {"text_id": str(services.draft_text(Draft(**body.model_dump()), author=subject))}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{text_id}/approve", response=dict[str, object], summary="Approve as the second person")
def approve(request: HttpRequest, text_id: UUID) -> Answer:
    """Put the draft into force; a customer text is published with it."""
    subject = caller_of(request)
    return do_once(request, subject, {}, lambda: _state(text_id, services.approve_text(text_id, officer=subject)))


@router.post("/{text_id}/refuse", response=dict[str, object], summary="Refuse a draft")
def refuse(request: HttpRequest, text_id: UUID, body: ReasonIn) -> Answer:
    """Refuse a draft."""
    subject = caller_of(request)

    def act() -> Answer:
        return _state(text_id, services.refuse_text(text_id, officer=subject, reason=body.reason))

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{text_id}/repeal", response=dict[str, object], summary="Take out of force")
def repeal(request: HttpRequest, text_id: UUID, body: ReasonIn) -> Answer:
    """Take a document out of force without a successor."""
    subject = caller_of(request)

    def act() -> Answer:
        return _state(text_id, services.repeal_text(text_id, officer=subject, reason=body.reason))

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{text_id}/withdraw", response=dict[str, object], summary="Withdraw one's own draft")
def withdraw(request: HttpRequest, text_id: UUID) -> Answer:
    """Withdraw; anybody else's is not found."""
    subject = caller_of(request)
    return do_once(request, subject, {}, lambda: _state(text_id, services.withdraw_text(text_id, author=subject)))


@router.post("/{text_id}/acknowledge", response=dict[str, object], summary="I have read it")
def acknowledge(request: HttpRequest, text_id: UUID) -> Answer:
    """Record that the caller has read the version in force."""
    subject = caller_of(request)

    def act() -> Answer:
        services.acknowledge(text_id, reader=subject)
        return _state(text_id, TextState.IN_FORCE)

    return do_once(request, subject, {}, act)


def _state(text_id: UUID, state: TextState) -> Answer:
    return {"text_id": str(text_id), "state": state.value}
