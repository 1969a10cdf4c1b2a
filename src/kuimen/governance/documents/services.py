"""Use cases of documents: draft, decide as another person, acknowledge, repeal.

Clause: CQJR-6.1-b
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NoReturn
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet

from kuimen.foundation import clock
from kuimen.gate.access.models import Post, Staff
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit.services import Actor, record, record_refusal
from kuimen.gate.consent import services as consent
from kuimen.governance.documents.errors import (
    DraftWaitsError,
    TextInputError,
    TextNotFoundError,
    TextTransitionError,
)
from kuimen.governance.documents.models import Acknowledgement, ControlledText
from kuimen.governance.documents.rules import (
    LONGEST_BODY,
    SHORTEST_BODY,
    TextEvent,
    TextKind,
    TextState,
    Topic,
    next_text_state,
    review_flaw,
)
from kuimen.kernels.ciphers import sm3

LONGEST_TITLE = 200
LONGEST_LIST = 500
_CODE = re.compile(r"[a-z][a-z0-9-]{1,63}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody puts forward.

    Attributes:
        code: lower-case code that stays the same through all versions.
        owner_post: code of the responsible post.
        review_by: when it is looked at again, within 366 days.
    """

    kind: TextKind
    code: str
    title: str
    body: str
    topics: Sequence[Topic]
    owner_post: str
    review_by: date


@dataclass(frozen=True, slots=True, kw_only=True)
class TextView:
    """One version as readers see it; `body` is empty in lists."""

    text_id: UUID
    kind: TextKind
    code: str
    version: int
    title: str
    body: str
    body_sm3: str
    topics: tuple[Topic, ...]
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


def draft_text(draft: Draft, *, author: Subject) -> UUID:
    """Put the next version of a document forward; nothing is in force until another person approves.

    Raises:
        NotPermittedError: the author may not draft.
        TextInputError: a field breaks its rule.
        DraftWaitsError: a draft of this document waits already.
    """
    require(author, Action.DOCUMENT_DRAFT, Resource(kind="text", ref=draft.code))
    post = _checked(draft)
    body = draft.body.strip()
    latest = ControlledText.objects.filter(code=draft.code).order_by("-version").first()
    if latest is not None and latest.kind != draft.kind.value:
        raise TextInputError("kind: earlier versions of this code are of another kind; choose another code")
    try:
        with transaction.atomic():
            row = ControlledText.objects.create(
                kind=draft.kind.value,
                code=draft.code,
                version=latest.version + 1 if latest else 1,
                title=draft.title.strip(),
                body=body,
                body_sm3=sm3(body.encode()).hex(),
                topics=sorted({topic.value for topic in draft.topics}),
                owner_post=post,
                review_by=draft.review_by,
                state=TextState.DRAFTED.value,
                drafted_by=_account(author),
                drafted_at=clock.now(),
            )
            _record(row, "document.draft", actor=actor_of(author))
    except IntegrityError:
        raise DraftWaitsError("code: a draft of this document waits for its decision already") from None
    return row.text_id


def approve_text(text_id: UUID, *, officer: Subject) -> TextState:
    """Put a draft into force as another person than its author; the version before is superseded.

    A customer text is published to the consent room in the same transaction.

    Raises:
        NotPermittedError, DutySeparationError, TextNotFoundError: may not, drafted it, no such document.
        TextTransitionError: decided already; of two at once, one wins.
        TextInputError: its review date has passed while it waited.
    """
    _permitted(text_id, officer)
    with transaction.atomic():
        row = _locked(text_id)
        after = next_text_state(TextState(row.state), TextEvent.APPROVE)
        if after is not None:
            if flaw := review_flaw(row.review_by, today=clock.today()):
                raise TextInputError(flaw)
            _supersede(row.code, actor=actor_of(officer))
            row.state, row.decided_by, row.decided_at = after.value, _account(officer), clock.now()
            row.save(update_fields=["state", "decided_by", "decided_at"])
            if row.kind == TextKind.CUSTOMER_TEXT.value:
                consent.publish_document(
                    row.code, title=row.title, body=row.body, officer=officer, drafted_by=row.drafted_by.staff_no
                )
            _record(row, "document.approve", actor=actor_of(officer))
            return after
    _refuse_transition(text_id, TextEvent.APPROVE, actor=actor_of(officer))
    return None


def refuse_text(text_id: UUID, *, officer: Subject, reason: str) -> TextState:
    """Refuse a draft; errors as in :func:`approve_text`."""
    if not reason.strip():
        raise TextInputError("reason: say why")
    _permitted(text_id, officer)
    return _end(text_id, TextEvent.REFUSE, officer, reason=reason.strip())


def repeal_text(text_id: UUID, *, officer: Subject, reason: str) -> TextState:
    """Take a document out of force without a successor, as another person than its author.

    Raises:
        As :func:`approve_text`.
    """
    if not reason.strip():
        raise TextInputError("reason: say why")
    _permitted(text_id, officer)
    return _end(text_id, TextEvent.REPEAL, officer, reason=reason.strip())


def withdraw_text(text_id: UUID, *, author: Subject) -> TextState:
    """Withdraw one's own draft; of anybody else's it says not found."""
    row = ControlledText.objects.select_related("drafted_by").filter(text_id=text_id).first()
    if row is None or row.drafted_by.staff_no != author.staff_no:
        raise TextNotFoundError("text_id: no such document")
    return _end(text_id, TextEvent.WITHDRAW, author, reason="")


def acknowledge(text_id: UUID, *, reader: Subject) -> None:
    """Record that a member of staff has read the version in force; a second time changes nothing.

    Raises:
        NotPermittedError, TextNotFoundError: may not read; no such document in force.
    """
    require(reader, Action.DOCUMENT_READ, Resource(kind="text", ref=str(text_id)))
    with transaction.atomic():
        row = ControlledText.objects.filter(text_id=text_id, state=TextState.IN_FORCE.value).first()
        if row is None:
            raise TextNotFoundError("text_id: no such document in force")
        _, new = Acknowledgement.objects.get_or_create(
            text=row, staff=_account(reader), defaults={"acknowledged_at": clock.now()}
        )
        if new:
            _record(row, "document.acknowledge", actor=actor_of(reader))


def texts_seen_by(subject: Subject, *, state: TextState | None = None, kind: TextKind | None = None) -> list[TextView]:
    """Return documents by code, the newest version first, without their words; at most 500.

    Raises:
        NotPermittedError: `subject` may not read them.
    """
    require(subject, Action.DOCUMENT_READ, Resource(kind="text"))
    rows = _rows().defer("body").order_by("code", "-version")
    if state is not None:
        rows = rows.filter(state=state.value)
    if kind is not None:
        rows = rows.filter(kind=kind.value)
    return [_view(row, with_body=False) for row in rows[:LONGEST_LIST]]


def text_seen_by(subject: Subject, text_id: UUID) -> TextView:
    """Return one version with its words.

    Raises:
        NotPermittedError, TextNotFoundError: may not read; no such document.
    """
    require(subject, Action.DOCUMENT_READ, Resource(kind="text", ref=str(text_id)))
    row = _rows().filter(text_id=text_id).first()
    if row is None:
        raise TextNotFoundError("text_id: no such document")
    return _view(row, with_body=True)


def _rows() -> QuerySet[ControlledText]:
    related = ControlledText.objects.select_related("owner_post", "drafted_by", "decided_by")
    return related.annotate(read_by=Count("acknowledgements"))


def _view(row: ControlledText, *, with_body: bool) -> TextView:
    in_force = row.state == TextState.IN_FORCE.value
    return TextView(
        text_id=row.text_id,
        kind=TextKind(row.kind),
        code=row.code,
        version=row.version,
        title=row.title,
        body=row.body if with_body else "",
        body_sm3=row.body_sm3,
        topics=tuple(Topic(topic) for topic in row.topics),
        owner_post=row.owner_post.code,
        review_by=row.review_by,
        state=TextState(row.state),
        drafted_by=row.drafted_by.staff_no,
        drafted_at=row.drafted_at,
        decided_by=row.decided_by.staff_no if row.decided_by else "",
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        acknowledged=int(getattr(row, "read_by", 0)),
        overdue=in_force and row.review_by < clock.today(),
    )


def _checked(draft: Draft) -> Post:
    if not _CODE.match(draft.code):
        raise TextInputError("code: lower-case letters, digits and hyphens, 2 to 64 signs, beginning with a letter")
    if not 0 < len(draft.title.strip()) <= LONGEST_TITLE:
        raise TextInputError(f"title: 1 to {LONGEST_TITLE} signs")
    if not SHORTEST_BODY <= len(draft.body.strip()) <= LONGEST_BODY:
        raise TextInputError(f"body: the text itself, {SHORTEST_BODY} to {LONGEST_BODY} signs")
    if not draft.topics:
        raise TextInputError("topics: name at least one topic that it covers")
    if flaw := review_flaw(draft.review_by, today=clock.today()):
        raise TextInputError(flaw)
    post = Post.objects.filter(code=draft.owner_post).first()
    if post is None:
        raise TextInputError("owner_post: no such post")
    return post


def _supersede(code: str, *, actor: Actor) -> None:
    former = ControlledText.objects.select_for_update(of=("self",)).filter(code=code, state=TextState.IN_FORCE.value)
    for row in former.select_related("owner_post"):
        after = next_text_state(TextState(row.state), TextEvent.SUPERSEDE)
        row.state, row.ended_at = (after or TextState.SUPERSEDED).value, clock.now()
        row.save(update_fields=["state", "ended_at"])
        _record(row, "document.supersede", actor=actor)


def _end(text_id: UUID, event: TextEvent, subject: Subject, *, reason: str) -> TextState:
    with transaction.atomic():
        row = _locked(text_id)
        after = next_text_state(TextState(row.state), event)
        if after is not None:
            row.state, row.ended_at, row.decision_reason = after.value, clock.now(), reason
            if event is TextEvent.REFUSE:
                row.decided_by, row.decided_at = _account(subject), row.ended_at
            row.save(update_fields=["state", "ended_at", "decision_reason", "decided_by", "decided_at"])
            _record(row, f"document.{event.value}", actor=actor_of(subject), reason=reason)
            return after
    _refuse_transition(text_id, event, actor=actor_of(subject))
    return None


def _permitted(text_id: UUID, officer: Subject) -> None:
    row = ControlledText.objects.select_related("drafted_by").filter(text_id=text_id).first()
    if row is None:
        raise TextNotFoundError("text_id: no such document")
    target = Resource(kind="text", ref=str(text_id), maker=row.drafted_by.staff_no)
    require(officer, Action.DOCUMENT_APPROVE, target)


def _locked(text_id: UUID) -> ControlledText:
    rows = ControlledText.objects.select_for_update(of=("self",)).select_related("drafted_by", "owner_post")
    return rows.get(text_id=text_id)


def _account(subject: Subject) -> Staff:
    return Staff.objects.get(staff_no=subject.staff_no)


def _refuse_transition(text_id: UUID, event: TextEvent, *, actor: Actor) -> NoReturn:
    record_refusal(
        f"document.{event.value}",
        actor=actor,
        object_type="text",
        object_ref=str(text_id),
        facts={"reason": "transition_not_allowed"},
    )
    raise TextTransitionError(f"document: {event.value} is not possible in its present state; read it again")


def _record(row: ControlledText, action: str, *, actor: Actor, reason: str = "") -> None:
    record(
        action,
        actor=actor,
        object_type="text",
        object_ref=str(row.text_id),
        facts={
            "document": str(row),
            "state": row.state,
            "body_sm3": row.body_sm3,
            "owner_post": row.owner_post.code,
            "review_by": row.review_by.isoformat(),
            **({"reason": reason} if reason else {}),
        },
    )
