"""Collection cases: list, open, step, challenge, reveal. Calls name cases and elements, never a number or a name."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from ninja import Router, Schema
from pydantic import Field, SecretStr

from kuimen.entrypoints.api.bodies import NO_NUL, Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import (
    Answer,
    IdempotencyKeyReusedError,
    do_once,
    do_once_apart,
    idempotency_key,
)
from kuimen.foundation.clock import SHANGHAI
from kuimen.foundation.sensitive import Sensitive
from kuimen.gate.disclosure.errors import IdempotencyConflictError
from kuimen.gate.disclosure.services import ReasonCode
from kuimen.gate.vault.part_rules import Part
from kuimen.kernels.elements.model import Element
from kuimen.ledger.loans.rules import LoanStatus
from kuimen.scenarios.collections import services
from kuimen.scenarios.collections.rules import CaseEvent, CaseState, HoldReason
from kuimen.scenarios.collections.services import CaseSummary

router = Router()

Page = Annotated[int, Field(ge=1, le=1_000_000)]


class CaseOut(Schema):
    """A case with its loan's facts; `masked` holds what the gate showed, by element."""

    case_id: UUID
    number: str
    bucket: str
    state: str
    principal: Decimal
    balance: Decimal
    instalment: Decimal
    written_off: Decimal
    assignee: str
    agency: str
    until: date | None
    masked: dict[str, str]


class ListOut(Schema):
    """One page of cases; `view_id` is the watermark of this view and resolves to its audit entry."""

    items: list[CaseOut]
    view_id: UUID | None
    page: int
    pages: int
    total: int


class DetailOut(CaseOut):
    """One case page."""

    view_id: UUID
    events: list[str]


class EventIn(Strict):
    """What happens to the case; `assignee` and `until` go with assign, `hold_reason` with hold."""

    event: CaseEvent
    assignee: str = Field("", max_length=32, pattern=NO_NUL)
    until: date | None = None
    hold_reason: HoldReason | None = None


class ChallengeIn(Strict):
    """What the customer said: the last four characters of one element."""

    element: Element
    answer: SecretStr = Field(max_length=8)


class ChallengeOut(Schema):
    """Whether it matched; the value itself is not told."""

    matched: bool
    remaining_attempts: int


class RevealIn(Strict):
    """One element, with a reason; the reason is recorded and must hold no personal data."""

    element: Element
    reason_code: ReasonCode
    reason: Words


class RevealOut(Schema):
    """One value in clear, until `expires_at`."""

    value: str
    expires_at: datetime
    view_id: UUID
    remaining_today: int


class SearchIn(Strict):
    """A number or the part of it that somebody told, and why it is looked for; the text itself is kept nowhere."""

    element: Element
    part: Part
    text: SecretStr = Field(max_length=64)
    reason_code: ReasonCode


class SearchOut(Schema):
    """At most 20 customers' cases, masked; `more` tells that others fit, `withheld` how many have no legal basis."""

    items: list[CaseOut]
    view_id: UUID
    more: bool
    withheld: int
    remaining_today: int


class CreateIn(Strict):
    """A loan of the ledger that is really overdue."""

    loan_ref: UUID


def _case(case: CaseSummary, masked: Mapping[Element, str]) -> dict[str, object]:
    return {
        "case_id": case.case_id, "number": case.number, "bucket": case.bucket.value, "state": case.state.value,
        "principal": case.principal, "balance": case.balance, "instalment": case.instalment,
        "written_off": case.written_off, "assignee": case.assignee, "agency": case.agency, "until": case.until,
        "masked": {element.value: text for element, text in masked.items()},
    }  # fmt: skip


@router.get("", response=ListOut, summary="Cases you may see, masked")
def list_cases(
    request: HttpRequest,
    response: HttpResponse,
    page: Page = 1,
    state: CaseState | None = None,
    bucket: LoanStatus | None = None,
) -> dict[str, object]:
    """Return one page of at most 50 cases, masked by the server."""
    response["Cache-Control"] = "no-store"
    found = services.list_cases(caller_of(request), page=page, state=state, bucket=bucket)
    return {
        "items": [_case(case, found.masked.get(case.case_id, {})) for case in found.cases],
        "view_id": found.watermark.view_id if found.watermark else None,
        "page": found.page,
        "pages": found.pages,
        "total": found.total,
    }


@router.post("", response=dict[str, object], summary="Create a case from an overdue loan")
def create(request: HttpRequest, body: CreateIn) -> Answer:
    """Create a case; a loan that is not overdue answers 409."""
    subject = caller_of(request)

    def act() -> Answer:
        return {"case_id": str(services.create_case(subject, body.loan_ref).case_id)}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/search", response=SearchOut, summary="Find cases by a number or a part of one")
def search(request: HttpRequest, response: HttpResponse, body: SearchIn) -> dict[str, object]:
    """Find cases for whoever was granted searches by name; every call counts against the day, whatever it finds."""
    response["Cache-Control"] = "no-store"
    said = Sensitive(body.text.get_secret_value(), element=body.element.value)
    found = services.search_cases(
        caller_of(request), element=body.element, part=body.part, said=said, reason_code=body.reason_code
    )
    return {
        "items": [_case(case, found.masked[case.case_id]) for case in found.cases],
        "view_id": found.result.watermark.view_id,
        "more": found.result.more,
        "withheld": found.result.withheld,
        "remaining_today": found.result.remaining_today,
    }


@router.get("/{case_id}", response=DetailOut, summary="One case, masked")
def open_case(request: HttpRequest, response: HttpResponse, case_id: UUID) -> dict[str, object]:
    """Return one case page; another agency's case is not found."""
    response["Cache-Control"] = "no-store"
    view = services.open_case(caller_of(request), case_id)
    return {
        **_case(view.case, view.masked),
        "view_id": view.watermark.view_id,
        "events": [event.value for event in view.events],
    }


@router.post("/{case_id}/events", response=dict[str, object], summary="Take one step")
def step(request: HttpRequest, case_id: UUID, body: EventIn) -> Answer:
    """Do what the transition table allows; anything else answers 409 and leaves the case unchanged."""
    subject = caller_of(request)

    def act() -> Answer:
        match body.event:
            case CaseEvent.ASSIGN:
                after = services.assign(subject, case_id, assignee=body.assignee, until=body.until)
            case CaseEvent.HOLD if body.hold_reason is not None:
                after = services.hold(subject, case_id, reason=body.hold_reason)
            case _:
                after = services.apply_event(subject, case_id, body.event)
        return {"case_id": str(case_id), "state": after.state.value}

    return do_once(request, subject, body.model_dump(mode="json"), act)


@router.post("/{case_id}/challenge", response=ChallengeOut, summary="Identity challenge")
def challenge(request: HttpRequest, case_id: UUID, body: ChallengeIn) -> ChallengeOut:
    """Compare what the customer said with the vault; three wrong answers a day. The same key is one attempt."""
    subject = caller_of(request)

    def act() -> Answer:
        answer = Sensitive(body.answer.get_secret_value(), element=body.element.value)
        result = services.challenge(subject, case_id, element=body.element, answer=answer)
        return {"matched": result.matched, "remaining_attempts": result.remaining_attempts}

    # keyed with the installation's secret: a plain digest of four digits would tell them to whoever reads the table
    said = salted_hmac("kuimen.api.challenge", body.answer.get_secret_value(), algorithm="sha256").hexdigest()
    answer = do_once_apart(request, subject, {"element": body.element.value, "said": said}, act)
    return ChallengeOut.model_validate(answer)


@router.post("/{case_id}/reveal", response=RevealOut, summary="Reveal one field")
def reveal(request: HttpRequest, response: HttpResponse, case_id: UUID, body: RevealIn) -> RevealOut:
    """Show one field in clear for a short time, within the day's quota; the same key counts once."""
    response["Cache-Control"] = "no-store"
    key = idempotency_key(request)
    try:
        shown = services.reveal(
            caller_of(request),
            case_id,
            element=body.element,
            reason_code=body.reason_code,
            reason=body.reason,
            idempotency_key=key,
        )
    except IdempotencyConflictError:
        raise IdempotencyKeyReusedError("this Idempotency-Key was used with another request; draw a new one") from None
    return RevealOut(
        value=shown.value.reveal_for("answer of a recorded reveal"),
        expires_at=shown.expires_at.astimezone(SHANGHAI),
        view_id=shown.view_id,
        remaining_today=shown.remaining_today,
    )
