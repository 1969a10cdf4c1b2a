"""What scans saw change, until a steward has taken note of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory.drift_rules import DriftKind
from kuimen.governance.inventory.errors import CorrectionInputError, UnknownDriftError
from kuimen.governance.inventory.models import Drift


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftView:
    """One change that a scan saw."""

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


def changes(*, only_open: bool = True, limit: int = 200) -> list[DriftView]:
    """Return changes, newest first; those nobody has taken note of, or all."""
    found = Drift.objects.select_related("asset", "asset__source").filter(asset__source__active=True)
    if only_open:
        found = found.filter(noted_at=None)
    return [_view(row) for row in found[:limit]]


def note_change(drift_id: UUID, *, steward: Subject, note: str) -> DriftView:
    """Take note of a change. An unprotected column stays a failing control until it is protected or corrected.

    Raises:
        NotPermittedError: no right to correct.
        UnknownDriftError: no such change, or noted already.
        CorrectionInputError: nothing was said.
    """
    require(steward, Action.INVENTORY_CORRECT, Resource(kind="drift", ref=str(drift_id)))
    if not note.strip():
        raise CorrectionInputError("note: say what was done about it")
    with transaction.atomic():
        row = Drift.objects.select_for_update(of=("self",)).filter(drift_id=drift_id, noted_at=None).first()
        if row is None:
            raise UnknownDriftError("drift_id: no such change is open")
        row.noted_by, row.noted_at, row.note = steward.staff_no, clock.now(), note.strip()[:200]
        row.save(update_fields=["noted_by", "noted_at", "note"])
        audit.record(
            "inventory.note_drift",
            actor=actor_of(steward),
            object_type="drift",
            object_ref=str(drift_id),
            facts={"place": str(row.asset), "kind": row.kind, "note": row.note},
        )
    return _view(row)


def _view(row: Drift) -> DriftView:
    return DriftView(
        drift_id=row.drift_id,
        asset_id=row.asset_id,
        place=str(row.asset),
        source=row.asset.source.label,
        kind=DriftKind(row.kind),
        before=row.before,
        after=row.after,
        seen_at=row.seen_at,
        noted_by=row.noted_by,
        noted_at=row.noted_at,
    )
