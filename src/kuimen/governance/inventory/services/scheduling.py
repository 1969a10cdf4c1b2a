"""When sources are scanned again, and what became of it when one could not be."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.foundation.errors import KuimenError
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory.drift_rules import (
    LONGEST_INTERVAL_HOURS,
    SHORTEST_INTERVAL_HOURS,
    next_scan_at,
)
from kuimen.governance.inventory.errors import ScheduleInputError, UnknownSourceError
from kuimen.governance.inventory.models import DataSource
from kuimen.governance.inventory.own_rules import own_rules
from kuimen.governance.inventory.services.recording import ScanSummary, record_scan
from kuimen.governance.inventory.services.registering import reopen, source_of
from kuimen.sources.scan import scan_open


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A registered source and its scans.

    Attributes:
        fault: code of the error that stopped the last try, empty after one that ended.
        not_read: places that the last scan named and did not read.
    """

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


def set_interval(source_id: UUID, *, hours: int, officer: Subject) -> SourceView:
    """Set how often a source is scanned again.

    Raises:
        NotPermittedError: no right to scan.
        ScheduleInputError: below one hour or above thirty-one days.
        UnknownSourceError: no such source.
    """
    require(officer, Action.INVENTORY_SCAN, Resource(kind="data_source", ref=str(source_id)))
    if not SHORTEST_INTERVAL_HOURS <= hours <= LONGEST_INTERVAL_HOURS:
        raise ScheduleInputError("hours: between 1 and 744")
    with transaction.atomic():
        row = DataSource.objects.select_for_update().filter(source_id=source_id, active=True).first()
        if row is None:
            raise UnknownSourceError("source_id: no such source is registered")
        row.scan_every_hours = hours
        row.save(update_fields=["scan_every_hours"])
        audit.record(
            "inventory.schedule",
            actor=actor_of(officer),
            object_type="data_source",
            object_ref=str(source_id),
            facts={"every_hours": hours},
        )
    return _view(row)


def due_sources() -> list[UUID]:
    """Return the sources whose next scan is due."""
    now = clock.now()
    return [
        row.source_id
        for row in DataSource.objects.filter(active=True)
        if next_scan_at(_last_try(row), every_hours=row.scan_every_hours, now=now) <= now
    ]


def _last_try(row: DataSource) -> datetime | None:
    tries = [moment for moment in (row.last_scanned_at, row.attempted_at) if moment is not None]
    return max(tries, default=None)


def scan_again(source_id: UUID, *, actor: audit.Actor) -> ScanSummary:
    """Scan a registered source and record it; a failure is written down before it is raised.

    Raises:
        SourceUnavailableError, SourceCredentialsError, SourceLocationError: it cannot be read.
        UnknownSourceError: no such source.
    """
    row = source_of(source_id)
    started_at = clock.now()
    try:
        with reopen(row) as source:
            found = list(scan_open(source, overlay=row.overlay or None, rules=own_rules()))
        return record_scan(found, actor, source_id=row.source_id, started_at=started_at)
    except KuimenError as error:
        with transaction.atomic():
            DataSource.objects.filter(source_id=source_id).update(attempted_at=started_at, fault=error.code)
            audit.record(
                "inventory.scan",
                actor=actor,
                object_type="data_source",
                object_ref=str(source_id),
                outcome=audit.Outcome.FAILED,
                facts={"fault": error.code},
            )
        raise


def sources() -> list[SourceView]:
    """Return the registered sources with their last and next scans."""
    return [_view(row) for row in DataSource.objects.filter(active=True)]


def _view(row: DataSource) -> SourceView:
    newest = row.runs.first()
    return SourceView(
        source_id=row.source_id,
        label=row.label,
        kind=row.kind,
        every_hours=row.scan_every_hours,
        last_scanned_at=row.last_scanned_at,
        attempted_at=row.attempted_at,
        next_scan_at=next_scan_at(_last_try(row), every_hours=row.scan_every_hours, now=clock.now()),
        fault=row.fault,
        columns=newest.columns if newest else 0,
        personal=newest.personal if newest else 0,
        not_read=newest.not_read if newest else 0,
    )
