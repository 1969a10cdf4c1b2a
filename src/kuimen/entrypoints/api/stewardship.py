"""Stewards at the asset directory: corrections, changes to take note of, and when sources are scanned."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from kuimen.entrypoints.api.bodies import Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.governance.inventory import services
from kuimen.governance.inventory.correction_rules import CorrectionState, Scope, Verdict
from kuimen.governance.inventory.drift_rules import (
    LONGEST_INTERVAL_HOURS,
    SHORTEST_INTERVAL_HOURS,
    DriftKind,
)

router = Router()


class CorrectionIn(Strict):
    """What a column holds; an empty element says that it is nothing personal."""

    asset_id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    element: Annotated[str, Field(max_length=32, pattern=r"^[a-z0-9_]*$")]
    scope: Scope = Scope.COLUMN
    reason: Words


class CorrectionOut(Schema):
    """A steward's word; `lowers` ones wait for another person."""

    correction_id: UUID
    place: str
    source: str
    scope: Scope
    verdict: Verdict
    element: str
    found_element: str
    lowers: bool
    state: CorrectionState
    reason: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str
    decided_at: datetime | None


class ReasonIn(Strict):
    """Why, or what was done."""

    reason: Words


class IntervalIn(Strict):
    """How often."""

    hours: Annotated[int, Field(ge=SHORTEST_INTERVAL_HOURS, le=LONGEST_INTERVAL_HOURS)]


class ChangeOut(Schema):
    """What a scan saw change."""

    drift_id: UUID
    asset_id: int
    place: str
    source: str
    kind: DriftKind
    before: str
    after: str
    seen_at: datetime
    noted_by: str
    noted_at: datetime | None


class SourceOut(Schema):
    """A registered source; `fault` says why the last scan did not end, `not_read` what it left out."""

    source_id: UUID
    label: str
    kind: str
    every_hours: int
    last_scanned_at: datetime | None
    attempted_at: datetime | None
    next_scan_at: datetime
    fault: str
    columns: int
    personal: int
    not_read: int


@router.get("/corrections", response=list[CorrectionOut], summary="Corrections, newest first")
def corrections(request: HttpRequest, state: CorrectionState | None = None) -> list[CorrectionOut]:
    """Return at most 500 corrections."""
    access.require(caller_of(request), Action.INVENTORY_READ, Resource(kind="inventory"))
    return [CorrectionOut.model_validate(view) for view in services.corrections(state=state)]


@router.post("/corrections", response=dict[str, object], summary="Say what a column holds")
def correct(request: HttpRequest, body: CorrectionIn) -> Answer:
    """Confirm, change or refuse a finding; in force at once unless it lowers a class or its protection."""
    subject = caller_of(request)

    def act() -> Answer:
        made = services.correct(
            body.asset_id, steward=subject, element=body.element, reason=body.reason, scope=body.scope
        )
        return {"correction_id": str(made.correction_id), "state": made.state.value, "lowers": made.lowers}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/corrections/{correction_id}/approve", response=dict[str, object], summary="Approve as second person")
def approve(request: HttpRequest, correction_id: UUID) -> Answer:
    """Let a lowering correction take effect."""
    subject = caller_of(request)

    def act() -> Answer:
        made = services.approve_correction(correction_id, checker=subject)
        return {"correction_id": str(correction_id), "state": made.state.value}

    return do_once(request, subject, {}, act)


@router.post("/corrections/{correction_id}/refuse", response=dict[str, object], summary="Refuse")
def refuse(request: HttpRequest, correction_id: UUID, body: ReasonIn) -> Answer:
    """Refuse a lowering correction."""
    subject = caller_of(request)

    def act() -> Answer:
        made = services.refuse_correction(correction_id, checker=subject, reason=body.reason)
        return {"correction_id": str(correction_id), "state": made.state.value}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/corrections/{correction_id}/withdraw", response=dict[str, object], summary="Withdraw one's own")
def withdraw(request: HttpRequest, correction_id: UUID) -> Answer:
    """Withdraw; anybody else's is not found."""
    subject = caller_of(request)

    def act() -> Answer:
        made = services.withdraw_correction(correction_id, steward=subject)
        return {"correction_id": str(correction_id), "state": made.state.value}

    return do_once(request, subject, {}, act)


@router.get("/changes", response=list[ChangeOut], summary="What scans saw change")
def changes(request: HttpRequest, *, only_open: bool = True) -> list[ChangeOut]:
    """Return at most 200 changes, newest first; by default those that nobody has noted."""
    access.require(caller_of(request), Action.INVENTORY_READ, Resource(kind="inventory"))
    return [ChangeOut.model_validate(view) for view in services.changes(only_open=only_open)]


@router.post("/changes/{drift_id}/note", response=dict[str, object], summary="Take note of a change")
def note(request: HttpRequest, drift_id: UUID, body: ReasonIn) -> Answer:
    """Say what was done about a change; an unprotected column stays a failing control until it is protected."""
    subject = caller_of(request)

    def act() -> Answer:
        noted = services.note_change(drift_id, steward=subject, note=body.reason)
        return {"drift_id": str(drift_id), "noted_by": noted.noted_by}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.get("/sources", response=list[SourceOut], summary="Sources, their scans and what was not read")
def sources(request: HttpRequest) -> list[SourceOut]:
    """Return every registered source with its last and next scan."""
    access.require(caller_of(request), Action.INVENTORY_READ, Resource(kind="inventory"))
    return [SourceOut.model_validate(view) for view in services.sources()]


@router.post("/sources/{source_id}/interval", response=dict[str, object], summary="How often to scan")
def set_interval(request: HttpRequest, source_id: UUID, body: IntervalIn) -> Answer:
    """Set the interval of a source's scans; whole days are scanned at night."""
    subject = caller_of(request)

    def act() -> Answer:
        view = services.set_interval(source_id, hours=body.hours, officer=subject)
        return {"source_id": str(source_id), "next_scan_at": view.next_scan_at.isoformat()}

    return do_once(request, subject, body.model_dump(mode="json"), act)
