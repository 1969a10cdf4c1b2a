"""What the use cases of releases share: rows locked and shown, steps entered in the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NoReturn
from uuid import UUID

from kuimen.foundation import clock
from kuimen.gate.access.models import Staff
from kuimen.gate.access.rules import Subject
from kuimen.gate.audit.services import Actor, FactValue, record, record_refusal
from kuimen.governance.releases.errors import (
    ReleaseInputError,
    ReleaseNotFoundError,
    ReleaseTransitionError,
)
from kuimen.governance.releases.models import Release
from kuimen.governance.releases.rules import (
    DEMAND_TERM,
    Form,
    RecipientKind,
    ReleaseEvent,
    ReleaseState,
)
from kuimen.kernels.anonymity import Standing

LONGEST_REASON = 200
_KIND = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseView:
    """A release as readers see it; `standing` is empty until it was computed."""

    release_id: UUID
    title: str
    purpose: str
    reason: str
    recipient: str
    recipient_kind: RecipientKind
    form: Form
    columns: tuple[str, ...]
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
    measured: Mapping[str, object]
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


def reference_of(release_id: UUID) -> str:
    """Return how the register of exports names a release."""
    return f"release:{release_id}"


def found(release_id: UUID) -> Release:
    """Return a release; raises ReleaseNotFoundError."""
    row = Release.objects.select_related("applied_by", "decided_by").filter(release_id=release_id).first()
    if row is None:
        raise ReleaseNotFoundError("release_id: no such release")
    return row


def locked(release_id: UUID) -> Release:
    """Return a release, locked for this transaction; raises ReleaseNotFoundError."""
    rows = Release.objects.select_for_update(of=("self",)).select_related("applied_by", "decided_by")
    row = rows.filter(release_id=release_id).first()
    if row is None:
        raise ReleaseNotFoundError("release_id: no such release")
    return row


def account(subject: Subject) -> Staff:
    """Return the account of a subject."""
    return Staff.objects.get(staff_no=subject.staff_no)


def said(text: str) -> str:
    """Return what somebody said, trimmed; raises ReleaseInputError where it is nothing or too long."""
    if not 0 < len(text.strip()) <= LONGEST_REASON:
        raise ReleaseInputError(f"reason, confirmation: say it in 1 to {LONGEST_REASON} signs")
    return text.strip()


def refuse_transition(release_id: UUID, event: ReleaseEvent, actor: Actor) -> NoReturn:
    """Record that the table does not allow a step, and raise ReleaseTransitionError."""
    record_refusal(
        f"release.{event.value}",
        actor=actor,
        object_type=_KIND,
        object_ref=str(release_id),
        facts={"reason": "transition_not_allowed"},
    )
    raise ReleaseTransitionError(f"release: {event.value} is not possible in its present state; read it again")


def enter(row: Release, action: str, actor: Actor, **facts: FactValue) -> None:
    """Enter a step in the audit log."""
    record(
        action,
        actor=actor,
        object_type=_KIND,
        object_ref=str(row.release_id),
        purpose=row.purpose,
        facts={
            "state": row.state,
            "recipient": row.recipient,
            "columns": list(row.columns),
            "standing": row.standing,
            **facts,
        },
    )


def view_of(row: Release) -> ReleaseView:
    """Return a release as readers see it."""
    ended_on = row.ended_at.astimezone(clock.SHANGHAI).date() if row.ended_at else None
    confirm_by = ended_on + DEMAND_TERM if ended_on and row.standing == Standing.DEIDENTIFIED.value else None
    return ReleaseView(
        release_id=row.release_id,
        title=row.title,
        purpose=row.purpose,
        reason=row.reason,
        recipient=row.recipient,
        recipient_kind=RecipientKind(row.recipient_kind),
        form=Form(row.form),
        columns=tuple(row.columns),
        pseudonym=row.pseudonym,
        k=row.k,
        l_distinct=row.l_distinct,
        t=float(row.t),
        keep_until=row.keep_until,
        state=ReleaseState(row.state),
        applied_by=row.applied_by.staff_no,
        applied_at=row.applied_at,
        decided_by=row.decided_by.staff_no if row.decided_by else "",
        decision_reason=row.decision_reason,
        computed_at=row.computed_at,
        measured=row.measured,
        standing=Standing(row.standing) if row.standing else None,
        rows=row.rows,
        persons=row.persons,
        suppressed=row.suppressed,
        body_sm3=row.body_sm3,
        fetched=row.fetched,
        ended_at=row.ended_at,
        confirm_by=confirm_by,
        confirmation=row.confirmation,
        overdue=row.state == ReleaseState.ENDED.value and confirm_by is not None and confirm_by < clock.today(),
    )
