"""Apply for a release, and decide as another person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Purpose, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.governance.releases.errors import (
    ReleaseInputError,
    ReleaseNotFoundError,
)
from kuimen.governance.releases.models import Release
from kuimen.governance.releases.rules import (
    LEAST,
    Form,
    RecipientKind,
    ReleaseEvent,
    ReleaseState,
    Wanted,
    flaw_of,
    next_state,
)
from kuimen.governance.releases.services.shelf import (
    LONGEST_REASON,
    ReleaseView,
    account,
    enter,
    found,
    locked,
    refuse_transition,
    said,
    view_of,
)
from kuimen.kernels.anonymity import Bounds
from kuimen.kernels.anonymity.errors import AnonymityLevelError

LONGEST_LIST = 500
LONGEST_TITLE, LONGEST_RECIPIENT = 120, 160
_KIND = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What somebody applies for. Bounds that are None are those of the policy."""

    title: str
    purpose: Purpose
    reason: str
    recipient: str
    recipient_kind: RecipientKind
    columns: Sequence[str]
    keep_until: date
    form: Form = Form.ROWS
    pseudonym: bool = True
    k: int | None = None
    l_distinct: int | None = None
    t: float | None = None


def apply(application: Application, *, applicant: Subject) -> UUID:
    """Apply for a release; nothing is computed until another person approves.

    Raises:
        NotPermittedError: the applicant may not.
        ReleaseInputError: a field breaks its rule, or the bounds are weaker than the policy's.
    """
    require(applicant, Action.RELEASE_APPLY, Resource(kind=_KIND))
    wanted = _checked(application)
    with transaction.atomic():
        row = Release.objects.create(
            title=application.title.strip(),
            purpose=Purpose(application.purpose).value,
            reason=application.reason.strip(),
            recipient=application.recipient.strip(),
            recipient_kind=wanted.recipient_kind.value,
            form=wanted.form.value,
            columns=list(wanted.columns),
            pseudonym=wanted.pseudonym,
            k=wanted.bounds.k,
            l_distinct=wanted.bounds.l_distinct,
            t=wanted.bounds.t,
            keep_until=wanted.keep_until,
            state=ReleaseState.APPLIED.value,
            applied_by=account(applicant),
            applied_at=clock.now(),
        )
        enter(row, "release.apply", actor_of(applicant))
    return row.release_id


def approve(release_id: UUID, *, officer: Subject) -> ReleaseState:
    """Approve as another person than the applicant.

    Raises:
        NotPermittedError, DutySeparationError, ReleaseNotFoundError, ReleaseTransitionError: as named.
    """
    _permitted(release_id, officer, Action.RELEASE_DECIDE)
    return _move(release_id, ReleaseEvent.APPROVE, officer, decided=True)


def refuse(release_id: UUID, *, officer: Subject, reason: str) -> ReleaseState:
    """Refuse an application; errors as in :func:`approve`."""
    _permitted(release_id, officer, Action.RELEASE_DECIDE)
    return _move(release_id, ReleaseEvent.REFUSE, officer, reason=said(reason), decided=True)


def withdraw(release_id: UUID, *, applicant: Subject) -> ReleaseState:
    """Withdraw one's own application; of anybody else's it says not found."""
    row = found(release_id)
    if row.applied_by.staff_no != applicant.staff_no:
        raise ReleaseNotFoundError("release_id: no such release")
    return _move(release_id, ReleaseEvent.WITHDRAW, applicant)


def releases_seen_by(reader: Subject, *, state: ReleaseState | None = None) -> list[ReleaseView]:
    """Return releases, the newest first; at most 500.

    Raises:
        NotPermittedError: `reader` may not.
    """
    require(reader, Action.RELEASE_READ, Resource(kind=_KIND))
    rows = Release.objects.select_related("applied_by", "decided_by").defer("sealed_body").order_by("-applied_at")
    if state is not None:
        rows = rows.filter(state=state.value)
    return [view_of(row) for row in rows[:LONGEST_LIST]]


def computed(*, limit: int) -> list[ReleaseView]:
    """Return the releases that were computed last, the newest first, for charts; figures only, whoever looks."""
    rows = Release.objects.select_related("applied_by", "decided_by").defer("sealed_body")
    return [view_of(row) for row in rows.filter(computed_at__isnull=False).order_by("-computed_at")[:limit]]


def release_seen_by(reader: Subject, release_id: UUID) -> ReleaseView:
    """Return one release.

    Raises:
        NotPermittedError, ReleaseNotFoundError: as named.
    """
    require(reader, Action.RELEASE_READ, Resource(kind=_KIND, ref=str(release_id)))
    return view_of(found(release_id))


def _checked(application: Application) -> Wanted:
    least = LEAST[application.recipient_kind]
    given = (application.k, application.l_distinct, application.t)
    k, l_distinct, t = (
        own if own is not None else policy
        for own, policy in zip(given, (least.k, least.l_distinct, least.t), strict=True)
    )
    for name, text, longest in (
        ("title", application.title, LONGEST_TITLE),
        ("reason", application.reason, LONGEST_REASON),
        ("recipient", application.recipient, LONGEST_RECIPIENT),
    ):
        if not 0 < len(text.strip()) <= longest:
            raise ReleaseInputError(f"{name}: 1 to {longest} signs")
    try:
        bounds = Bounds(k=int(k), l_distinct=int(l_distinct), t=float(t), largest_suppressed=least.largest_suppressed)
    except AnonymityLevelError:
        raise ReleaseInputError("bounds: k from 2, l from 1, t from 0 to 1") from None
    wanted = Wanted(
        columns=tuple(application.columns),
        form=application.form,
        pseudonym=application.pseudonym,
        recipient_kind=application.recipient_kind,
        bounds=bounds,
        keep_until=application.keep_until,
    )
    if flaw := flaw_of(wanted, today=clock.today()):
        raise ReleaseInputError(flaw)
    return wanted


def _move(
    release_id: UUID, event: ReleaseEvent, subject: Subject, *, reason: str = "", decided: bool = False
) -> ReleaseState:
    with transaction.atomic():
        row = locked(release_id)
        after = next_state(ReleaseState(row.state), event)
        if after is not None:
            row.state, row.decision_reason = after.value, reason
            if decided:
                row.decided_by, row.decided_at = account(subject), clock.now()
            row.save(update_fields=["state", "decision_reason", "decided_by", "decided_at"])
            enter(row, f"release.{event.value}", actor_of(subject), **({"reason": reason} if reason else {}))
            return after
    refuse_transition(release_id, event, actor_of(subject))
    return None


def _permitted(release_id: UUID, subject: Subject, action: Action) -> None:
    row = found(release_id)
    require(subject, action, Resource(kind=_KIND, ref=str(release_id), maker=row.applied_by.staff_no))
