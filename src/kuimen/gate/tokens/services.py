"""Use cases of tokens: issue in bulk, lead back to the record, suspend, resume, delete.

No service here returns a clear value: a token leads to a vault record, and from there the one door decides.

Clause: JRT0171-6.1.3-b
"""

import re
import secrets
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import connection, transaction

from kuimen.foundation import clock
from kuimen.foundation.identifiers import RecordId
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit.services import record, record_refusal
from kuimen.gate.keys.arrays import uuid_array
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.tokens.errors import TokenInputError, TokenNotFoundError, TokenSpaceError, TokenTransitionError
from kuimen.gate.tokens.models import Token
from kuimen.gate.tokens.rules import FORM, LONGEST_LIFE, TOKENISED, TokenEvent, TokenState, next_state
from kuimen.kernels.tokens import entropy_bytes, is_token, shape_tokens

__all__ = ["change_state", "delete_of_class", "issue", "resolve"]

MOST_RESOLVED = 10_000
_ATTEMPTS = 5
_NAME = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_TOKENISABLE = """
    SELECT count(*) FROM vault_record
    WHERE record_id = ANY(%s::uuid[]) AND element = ANY(%s::text[]) AND state IN ('pending', 'bound')
"""
_INSERT = """
    INSERT INTO tokens_issued
        (token, record_id, person_ref, domain, partner_id, state, issued_at, valid_until, state_since)
    SELECT given.token, r.record_id, r.person_ref, %s, %s, %s, %s, %s, %s
    FROM unnest(%s::text[], %s::uuid[]) AS given (token, record_id) JOIN vault_record r USING (record_id)
    ON CONFLICT DO NOTHING
"""


def issue(
    record_ids: Collection[RecordId], *, domain: str, partner_id: str, life: timedelta, subject: Subject
) -> dict[RecordId, str]:
    """Return a token of each record for one partner in one domain; one that holds is given again.

    Cost: three statements for any number of records.

    Raises:
        NotPermittedError: no policy permits it.
        TokenInputError: a malformed name or term, or a record that is no card or account number or not in the vault.
        TokenSpaceError: no free token was drawn in five attempts.
    """
    require(subject, Action.TOKEN_ASSIGN, Resource(kind="partner", ref=partner_id))
    if not _NAME.fullmatch(domain) or not _NAME.fullmatch(partner_id) or not timedelta(0) < life <= LONGEST_LIFE:
        raise TokenInputError("domain, partner_id, life: letters, digits and . _ : -, and at most three years")
    wanted = list(dict.fromkeys(record_ids))
    now = clock.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_TOKENISABLE, [uuid_array(wanted), [one.value for one in TOKENISED]])
            if cursor.fetchone() != (len(wanted),):
                raise TokenInputError("record_ids: every one a card or account number that the vault holds")
        _close_expired(wanted, domain=domain, partner_id=partner_id)
        for _ in range(_ATTEMPTS):
            held = _held(wanted, domain=domain, partner_id=partner_id)
            missing = [one for one in wanted if one not in held]
            if not missing:
                break
            drawn = shape_tokens(secrets.token_bytes(entropy_bytes(len(missing), FORM)), len(missing), FORM)
            with connection.cursor() as cursor:
                cursor.execute(
                    _INSERT,
                    [domain, partner_id, TokenState.ACTIVE.value, now, now + life, now, drawn, uuid_array(missing)],
                )
        else:
            raise TokenSpaceError("tokens: drawn ones were taken again and again; choose a longer form")
        record(
            "tokens.issued",
            actor=actor_of(subject),
            object_type="partner",
            object_ref=partner_id,
            facts={"domain": domain, "count": len(wanted)},
        )
    return held


def resolve(
    tokens: Collection[str], *, domain: str, partner_id: str, subject: Subject, purpose: str
) -> dict[str, RecordId]:
    """Lead tokens back to their records, for whom a policy permits it. Cost: one statement.

    Raises:
        NotPermittedError: no policy permits it.
        TokenInputError: more than 10,000 at once.
        TokenNotFoundError: one of them is foreign, suspended, expired, deleted or invented; which is not told.
    """
    require(subject, Action.TOKEN_RESOLVE, Resource(kind="partner", ref=partner_id))
    if len(tokens) > MOST_RESOLVED:
        raise TokenInputError(f"tokens: at most {MOST_RESOLVED:,} are led back at once")
    wanted = {token for token in tokens if is_token(token, FORM)}
    rows = Token.objects.filter(
        token__in=wanted,
        domain=domain,
        partner_id=partner_id,
        state=TokenState.ACTIVE.value,
        valid_until__gt=clock.now(),
    )
    found = {token: RecordId(record_id) for token, record_id in rows.values_list("token", "record_id")}
    facts: dict[str, str | int] = {"domain": domain, "asked": len(set(tokens)), "found": len(found)}
    if len(found) != len(set(tokens)):
        record_refusal(
            "tokens.resolve",
            actor=actor_of(subject),
            object_type="partner",
            object_ref=partner_id,
            purpose=purpose,
            facts=facts,
        )
        raise TokenNotFoundError("tokens: not all of them are tokens of this partner in this domain that hold now")
    with transaction.atomic():
        record(
            "tokens.resolve",
            actor=actor_of(subject),
            object_type="partner",
            object_ref=partner_id,
            purpose=purpose,
            facts=facts,
        )
    return found


def change_state(tokens: Collection[str], event: TokenEvent, *, officer: Subject, reason: str) -> TokenState:
    """Suspend, resume or delete tokens: all of them, or none.

    Raises:
        NotPermittedError: no policy permits it.
        TokenInputError: none, too many, or no reason.
        TokenNotFoundError: one of them is none of ours.
        TokenTransitionError: the state of one does not allow it.
    """
    require(officer, Action.TOKEN_CHANGE, Resource(kind="token"))
    wanted = sorted(set(tokens))
    if not 0 < len(wanted) <= MOST_RESOLVED or not reason.strip():
        raise TokenInputError(f"tokens, reason: from one to {MOST_RESOLVED:,} tokens, and why")
    with transaction.atomic():
        rows = list(Token.objects.select_for_update().filter(token__in=wanted).order_by("token"))
        if len(rows) != len(wanted):
            raise TokenNotFoundError("tokens: not all of them are tokens of this installation")
        states = {next_state(TokenState(row.state), event) for row in rows}
        after = states.pop() if len(states) == 1 else None
        if after is None:
            raise TokenTransitionError(f"tokens: the state of at least one does not allow {event} now")
        Token.objects.filter(token__in=wanted).update(state=after.value, state_since=clock.now())
        for partner_id, domain in sorted({(row.partner_id, row.domain) for row in rows}):
            mine = [row for row in rows if (row.partner_id, row.domain) == (partner_id, domain)]
            record(
                f"tokens.{event.value}",
                actor=actor_of(officer),
                object_type="partner",
                object_ref=partner_id,
                facts={"domain": domain, "count": len(mine), "last_four": mine[0].token[-4:], "reason": reason},
            )
    return after


def delete_of_class(person_ref: UUID, retention_class: RetentionClass) -> int:
    """Delete the tokens of one person's records of one class, within the deed that destroys them; return how many."""
    rows = Token.objects.filter(person_ref=person_ref, record__retention_class=retention_class.value)
    return rows.exclude(state=TokenState.DELETED.value).update(state=TokenState.DELETED.value, state_since=clock.now())


def _held(record_ids: Collection[RecordId], *, domain: str, partner_id: str) -> dict[RecordId, str]:
    rows = Token.objects.filter(record_id__in=record_ids, domain=domain, partner_id=partner_id)
    return {
        RecordId(record_id): token
        for record_id, token in rows.exclude(state=TokenState.DELETED.value).values_list("record_id", "token")
    }


def _close_expired(record_ids: Collection[RecordId], *, domain: str, partner_id: str) -> None:
    """Delete what has run out, so that a new token can take its place."""
    now = clock.now()
    rows = Token.objects.filter(record_id__in=record_ids, domain=domain, partner_id=partner_id, valid_until__lte=now)
    rows.exclude(state=TokenState.DELETED.value).update(state=TokenState.DELETED.value, state_since=now)
