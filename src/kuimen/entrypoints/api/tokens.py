"""Payment tokens: issue them for a partner, lead them back to vault records, suspend and delete. No number anywhere."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StringConstraints

from kuimen.entrypoints.api.bodies import Strict, Words
from kuimen.entrypoints.api.caller import caller_of
from kuimen.entrypoints.api.idempotency import Answer, do_once
from kuimen.foundation.identifiers import RecordId
from kuimen.gate.access.rules import Purpose
from kuimen.gate.tokens import services
from kuimen.gate.tokens.rules import LONGEST_LIFE, TokenEvent

router = Router()

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
Token = Annotated[str, StringConstraints(pattern=r"^[0-9]{19}$")]
MOST = 1000


class TokenIssueIn(Strict):
    """Which records, for whom, for what, how long."""

    record_ids: list[UUID] = Field(min_length=1, max_length=MOST)
    partner_id: Name
    domain: Name
    days: int = Field(365, ge=1, le=LONGEST_LIFE.days)


class TokenOpenIn(Strict):
    """Which tokens of which partner and domain, for which purpose."""

    tokens: list[Token] = Field(min_length=1, max_length=MOST)
    partner_id: Name
    domain: Name
    purpose: Purpose


class TokenChangeIn(Strict):
    """What becomes of which tokens, and why."""

    tokens: list[Token] = Field(min_length=1, max_length=MOST)
    event: TokenEvent
    reason: Words


class TokenOut(Schema):
    """One token and the vault record that it leads to."""

    token: str
    record_id: UUID


@router.post("/issue", response=list[TokenOut], summary="Tokens of vault records for one partner")
def issue(request: HttpRequest, body: TokenIssueIn) -> list[TokenOut]:
    """Return a token of each card or account number; a token that holds is given again, so repeating is safe."""
    made = services.issue(
        [RecordId(one) for one in body.record_ids],
        domain=body.domain,
        partner_id=body.partner_id,
        life=timedelta(days=body.days),
        subject=caller_of(request),
    )
    return [TokenOut(token=token, record_id=record_id) for record_id, token in made.items()]


@router.post("/open", response=list[TokenOut], summary="Lead tokens back to their vault records")
def open_(request: HttpRequest, body: TokenOpenIn) -> list[TokenOut]:
    """Return the record of each token, or 404 for all of them where one is not this partner's in this domain now."""
    found = services.resolve(
        body.tokens,
        domain=body.domain,
        partner_id=body.partner_id,
        subject=caller_of(request),
        purpose=body.purpose.value,
    )
    return [TokenOut(token=token, record_id=record_id) for token, record_id in found.items()]


@router.post("/change", response=dict[str, object], summary="Suspend, resume or delete tokens")
def change(request: HttpRequest, body: TokenChangeIn) -> Answer:
    """Change all of them, or none."""
    subject = caller_of(request)

    def act() -> Answer:
        state = services.change_state(body.tokens, body.event, officer=subject, reason=body.reason)
        return {"state": state.value, "count": len(set(body.tokens))}

    return do_once(request, subject, body.model_dump(mode="json"), act)
