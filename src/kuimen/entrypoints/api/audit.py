"""The audit log: entries, proofs, the view behind a watermark."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from kuimen.entrypoints.api.bodies import NO_NUL, Moment, Strict
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.gate.audit import services
from kuimen.gate.audit.services import EntryFilter, EntryView, Outcome

router = Router()

Text = Annotated[str, Field(max_length=200, pattern=NO_NUL)]
Position = Annotated[int, Field(ge=1, le=2**62)]
Limit = Annotated[int, Field(ge=1, le=100)]


class EntryOut(Schema):
    """One entry as its stored bytes say it; `seq` is missing until the sequencer took it."""

    entry_id: UUID
    seq: int | None
    occurred_at: datetime
    actor_kind: str
    actor: str
    actor_label: str
    action: str
    outcome: str
    purpose: str
    object_type: str
    object_ref: str
    view_id: UUID | None
    facts: dict[str, object]
    columns_agree: bool


class EntriesOut(Schema):
    """One page, newest first; send `next_before` back as `before` to go on."""

    items: list[EntryOut]
    next_before: int | None


class ProofOut(Schema):
    """Inclusion proof; binary values are hexadecimal, `note` is the signed text."""

    entry_id: UUID
    seq: int
    size: int
    leaf: str
    path: list[str]
    root: str
    note: str
    signature: str
    key_id: str
    public_key: str


class Wanted(Schema):
    """Filters; each one that is given narrows the answer."""

    actor: Text = ""
    action: Text = ""
    outcome: Outcome | None = None
    purpose: Text = ""
    object_type: Text = ""
    object_ref: Text = ""
    view_id: UUID | None = None
    since: Moment | None = None
    before_time: Moment | None = None


class RiskOut(Schema):
    """One person's operations of one day that a rule picked out."""

    risk: str
    actor: str
    day: str
    count: int


class ReviewIn(Strict):
    """What an auditor concludes about the high-risk operations of an interval."""

    since: Moment
    before: Moment
    conclusion: str = Field(min_length=2, max_length=500, pattern=NO_NUL)


def _out(entry: EntryView) -> EntryOut:
    return EntryOut.model_validate({name: getattr(entry, name) for name in EntryOut.model_fields})


def _may_read(request: HttpRequest) -> None:
    access.require(caller_of(request), Action.AUDIT_READ, Resource(kind="audit"))


@router.get("/entries", response=EntriesOut, summary="Entries, newest first")
def entries(
    request: HttpRequest, wanted: Query[Wanted], before: Position | None = None, limit: Limit = 100
) -> EntriesOut:
    """Return one page of entries."""
    _may_read(request)
    fields = wanted.model_dump(exclude={"before_time"})
    page = services.entries(EntryFilter(**fields, before=wanted.before_time), before=before, limit=limit)
    return EntriesOut(items=[_out(entry) for entry in page.entries], next_before=page.next_before)


@router.get("/entries/{entry_id}", response=EntryOut, summary="One entry")
def entry(request: HttpRequest, entry_id: UUID) -> EntryOut:
    """Return one entry."""
    _may_read(request)
    return _out(services.entry(entry_id))


@router.get("/entries/{entry_id}/proof", response=ProofOut, summary="Inclusion proof")
def proof(request: HttpRequest, entry_id: UUID) -> ProofOut:
    """Return why this entry is in the log under the newest signed checkpoint."""
    _may_read(request)
    found = services.inclusion(entry_id)
    return ProofOut(
        entry_id=found.entry_id, seq=found.seq, size=found.size, leaf=found.leaf.hex(),
        path=[step.hex() for step in found.path], root=found.root.hex(), note=found.note.decode(),
        signature=found.signature.hex(), key_id=found.key_id, public_key=found.public_key.hex(),
    )  # fmt: skip


@router.get("/views/{view_id}", response=list[EntryOut], summary="Who saw this page")
def view(request: HttpRequest, view_id: UUID) -> list[EntryOut]:
    """Resolve the view id of a watermark to what was recorded for that page view."""
    _may_read(request)
    return [_out(found) for found in services.entries_of_view(view_id)]


@router.get("/risks", response=list[RiskOut], summary="High-risk operations")
def risks(request: HttpRequest, since: Moment, before: Moment) -> list[RiskOut]:
    """Return the high-risk operations of an interval, by day and person."""
    _may_read(request)
    return [
        RiskOut(risk=finding.risk.value, actor=finding.actor, day=finding.day, count=finding.count)
        for finding in services.screen(since, before)
    ]


@router.post("/reviews", response=dict[str, object], summary="Sign off a periodic review")
def review(request: HttpRequest, body: ReviewIn) -> Answer:
    """Record that the auditor reviewed the high-risk operations of an interval."""
    subject = caller_of(request)
    access.require(subject, Action.AUDIT_REVIEW, Resource(kind="audit"))

    def act() -> Answer:
        entry_id = services.review(access.actor_of(subject), **body.model_dump())
        return {"entry_id": str(entry_id)}

    return do_once(request, subject, body.model_dump(mode="json"), act)
