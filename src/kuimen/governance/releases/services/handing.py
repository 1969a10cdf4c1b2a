"""Compute what was approved, hand it out, end it.

Clause: JRT0171-6.1.4.5-b
"""

from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit.services import SYSTEM, Actor, record_refusal
from kuimen.gate.retention import services as retention
from kuimen.governance.releases import packages
from kuimen.governance.releases.computing import Package, compute
from kuimen.governance.releases.errors import (
    BoundsMissedError,
    ReleaseEndedError,
    ReleaseTransitionError,
)
from kuimen.governance.releases.models import Release
from kuimen.governance.releases.rules import (
    LEAST,
    Form,
    RecipientKind,
    ReleaseEvent,
    ReleaseState,
    Wanted,
    classes_of,
    next_state,
)
from kuimen.governance.releases.services.shelf import (
    ReleaseView,
    enter,
    found,
    locked,
    reference_of,
    refuse_transition,
    said,
    view_of,
)
from kuimen.kernels.anonymity import Bounds, Standing
from kuimen.kernels.ciphers import sm3

MOST_AT_ONCE = 500
_KIND = "release"


def release(release_id: UUID, *, applicant: Subject) -> ReleaseView:
    """Compute what was approved; it is released when the bounds hold, and closed as missed when not.

    That bounds are missed is an answer, so that it stays on record; :func:`require_released` makes it an error.

    The package rests here sealed under a key of its own. Every person in a de-identified package is entered in the
    register of exports, by the retention classes that its columns tell of.

    Raises:
        NotPermittedError, ReleaseNotFoundError, ReleaseTransitionError: as named.
        KeysLockedError, SealedValueTamperedError, DisclosureFailedError: nothing was computed.
    """
    require(applicant, Action.RELEASE_FETCH, Resource(kind=_KIND, ref=str(release_id)))
    row = found(release_id)
    if next_state(ReleaseState(row.state), ReleaseEvent.RELEASE) is None:
        refuse_transition(release_id, ReleaseEvent.RELEASE, actor_of(applicant))
    if row.keep_until < clock.today():
        raise ReleaseEndedError("release: its last day has passed; apply anew")
    key = packages.new_key()
    package = compute(wanted_of(row), purpose=row.purpose, key=key, package=str(row), today=clock.today())
    missed = package.standing is None
    with transaction.atomic():
        row = locked(release_id)
        after = next_state(ReleaseState(row.state), ReleaseEvent.MISS if missed else ReleaseEvent.RELEASE)
        if after is not None:
            _keep(row, package, key, after, actor_of(applicant))
    if after is None:
        refuse_transition(release_id, ReleaseEvent.RELEASE, actor_of(applicant))
    return view_of(row)


def _keep(row: Release, package: Package, key: bytes, after: ReleaseState, actor: Actor) -> None:
    row.state, row.computed_at, row.measured = after.value, clock.now(), dict(package.figures)
    if package.standing is not None:
        row.standing, row.rows, row.suppressed = package.standing.value, package.rows, package.suppressed
        row.persons, row.body_sm3 = len(package.persons), sm3(package.body).hex()
        row.sealed_key = packages.seal_key(row.release_id, key)
        row.sealed_body = packages.seal_body(row.release_id, key, package.body)
        if package.standing is Standing.DEIDENTIFIED:
            retention.register_exports(
                package.persons,
                retention_classes=classes_of(row.columns),
                recipient=row.recipient,
                reference=reference_of(row.release_id),
                actor=actor,
            )
    row.save()
    figures = {
        name: value if isinstance(value, int) else str(value)
        for name, value in package.figures.items()
        if not isinstance(value, dict)
    }
    enter(row, f"release.{'missed' if package.standing is None else 'release'}", actor, **figures)


def require_released(view: ReleaseView) -> ReleaseView:
    """Return a release that was computed and keeps its bounds.

    Raises:
        BoundsMissedError: with what was measured.
    """
    if view.state is ReleaseState.MISSED:
        told = ", ".join(f"{name} {value}" for name, value in view.measured.items() if not isinstance(value, dict))
        raise BoundsMissedError(f"release: the bounds are missed, nothing was released; measured {told}")
    return view


def fetch(release_id: UUID, *, reader: Subject) -> bytes:
    """Hand the package out as CSV; every time is recorded.

    Raises:
        NotPermittedError, ReleaseNotFoundError: as named.
        ReleaseEndedError: it was ended, or its last day has passed.
        ReleaseTransitionError: it was not computed yet.
        PackageAlteredError, KeysLockedError: it does not open.
    """
    require(reader, Action.RELEASE_FETCH, Resource(kind=_KIND, ref=str(release_id)))
    with transaction.atomic():
        row = locked(release_id)
        over = row.state in {ReleaseState.ENDED.value, ReleaseState.DELETED.value} or row.keep_until < clock.today()
        if not over and row.sealed_key is not None and row.sealed_body is not None:
            key = packages.open_key(release_id, bytes(row.sealed_key))
            body = packages.open_body(release_id, key, bytes(row.sealed_body))
            row.fetched += 1
            row.save(update_fields=["fetched"])
            enter(row, "release.fetch", actor_of(reader), times=row.fetched)
            return body
    reason = "ended" if over else "not_computed"
    record_refusal(
        "release.fetch", actor=actor_of(reader), object_type=_KIND, object_ref=str(release_id), facts={"reason": reason}
    )
    if over:
        raise ReleaseEndedError("release: its time is over; it is not handed out any more")
    raise ReleaseTransitionError("release: it was not computed yet")


def end(release_id: UUID, *, actor_subject: Subject, reason: str) -> ReleaseState:
    """End a release: its key and bytes are destroyed here, and the recipient is told to delete.

    Raises:
        NotPermittedError, ReleaseNotFoundError, ReleaseTransitionError, ReleaseInputError: as named.
    """
    require(actor_subject, Action.RELEASE_END, Resource(kind=_KIND, ref=str(release_id)))
    return _end(release_id, actor_of(actor_subject), reason=said(reason))


def end_due() -> int:
    """End releases whose last day has passed, for the worker; returns how many."""
    due = Release.objects.filter(state=ReleaseState.RELEASED.value, keep_until__lt=clock.today())
    ids = list(due.values_list("release_id", flat=True)[:MOST_AT_ONCE])
    for release_id in ids:
        _end(release_id, SYSTEM, reason="last day passed")
    return len(ids)


def _end(release_id: UUID, actor: Actor, *, reason: str) -> ReleaseState:
    with transaction.atomic():
        row = locked(release_id)
        after = next_state(ReleaseState(row.state), ReleaseEvent.END)
        if after is not None:
            row.state, row.ended_at, row.ended_by = after.value, clock.now(), actor.ref
            row.sealed_key = row.sealed_body = None
            row.save(update_fields=["state", "ended_at", "ended_by", "sealed_key", "sealed_body"])
            demanded = 0
            if row.standing == Standing.DEIDENTIFIED.value:
                demanded = retention.demand_exports(reference_of(release_id), recipient=row.recipient, actor=actor)
            enter(row, "release.end", actor, reason=reason, demanded=demanded)
            return after
    refuse_transition(release_id, ReleaseEvent.END, actor)
    return None


def confirm(release_id: UUID, *, officer: Subject, confirmation: str) -> ReleaseState:
    """Enter that the recipient deleted the whole package; `confirmation` names the document.

    Raises:
        NotPermittedError, ReleaseNotFoundError, ReleaseTransitionError, ReleaseInputError: as named.
    """
    require(officer, Action.RELEASE_END, Resource(kind=_KIND, ref=str(release_id)))
    told = said(confirmation)
    with transaction.atomic():
        row = locked(release_id)
        after = next_state(ReleaseState(row.state), ReleaseEvent.CONFIRM)
        if after is not None:
            row.state, row.confirmed_at, row.confirmation = after.value, clock.now(), told
            row.save(update_fields=["state", "confirmed_at", "confirmation"])
            retention.confirm_exports(
                reference_of(release_id), recipient=row.recipient, confirmation=told, actor=actor_of(officer)
            )
            enter(row, "release.confirm", actor_of(officer), confirmation=told)
            return after
    refuse_transition(release_id, ReleaseEvent.CONFIRM, actor_of(officer))
    return None


def wanted_of(row: Release) -> Wanted:
    """Return what was applied for."""
    kind = RecipientKind(row.recipient_kind)
    return Wanted(
        columns=tuple(row.columns),
        form=Form(row.form),
        pseudonym=row.pseudonym,
        recipient_kind=kind,
        bounds=Bounds(
            k=row.k,
            l_distinct=row.l_distinct,
            t=float(row.t),
            largest_suppressed=LEAST[kind].largest_suppressed,
        ),
        keep_until=row.keep_until,
    )
