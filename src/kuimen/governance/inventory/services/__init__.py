"""Use cases of the asset directory: register a source, record a scan, correct it, mark what protection did, sum up."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory.errors import UnknownAssetError
from kuimen.governance.inventory.models import Asset, DataSource
from kuimen.governance.inventory.rules import TO_BE_PROTECTED, AssetState
from kuimen.governance.inventory.services.alerting import announce_changes
from kuimen.governance.inventory.services.correcting import (
    CorrectionView,
    ReplayedCorrection,
    approve_correction,
    as_corrected,
    correct,
    correct_at_terminal,
    corrections,
    refuse_correction,
    replay_corrections,
    withdraw_correction,
)
from kuimen.governance.inventory.services.drifting import DriftView, changes, note_change
from kuimen.governance.inventory.services.recording import ScanSummary, record_scan
from kuimen.governance.inventory.services.registering import connection_of, register_source, reopen, source_of
from kuimen.governance.inventory.services.scheduling import SourceView, due_sources, scan_again, set_interval, sources

__all__ = [
    "CategoryCount",
    "CorrectionView",
    "DriftView",
    "InventorySummary",
    "ReplayedCorrection",
    "ScanSummary",
    "SourceView",
    "announce_changes",
    "approve_correction",
    "as_corrected",
    "changes",
    "connection_of",
    "correct",
    "correct_at_terminal",
    "corrections",
    "drift",
    "due_sources",
    "mark_protected",
    "mark_state",
    "note_change",
    "record_scan",
    "refuse_correction",
    "register_source",
    "reopen",
    "replay_corrections",
    "scan_again",
    "set_interval",
    "source_of",
    "sources",
    "summary",
    "withdraw_correction",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryCount:
    """One bar of a chart: assets of one category in one state."""

    category: str
    state: str
    assets: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InventorySummary:
    """The directory in numbers.

    Attributes:
        counts: assets that hold personal data, by category and state.
        clear_remainder: personal assets whose values still stand in clear, loan facts included.
        unprotected: those of them that are to be sealed or destroyed.
        not_read: places that were named and not read.
        drifted: personal assets that turned up in clear after the first scan.
    """

    sources: int
    assets: int
    personal: int
    counts: tuple[CategoryCount, ...]
    clear_remainder: int
    unprotected: int
    not_read: int
    drifted: int
    last_scanned_at: datetime | None


def mark_state(
    source_id: UUID,
    *,
    state: AssetState,
    actor: audit.Actor,
    schema: str = "",
    table: str = "",
    column: str = "",
    file: str = "",
    reference_column: str = "",
) -> None:
    """Write what protection did to one column or file; audited by the caller's own entry of the same transaction.

    Raises:
        UnknownAssetError: the directory has no such place.
    """
    with transaction.atomic():
        assets = Asset.objects.filter(source_id=source_id, schema_name=schema, table_name=table, file_name=file)
        if not file or column:
            assets = assets.filter(column_name=column)
        changed = assets.update(
            state=state.value,
            state_since=clock.now(),
            drifted_at=None,
            reference_column=reference_column,
            present=state is not AssetState.DESTROYED,
        )
        if not changed:
            raise UnknownAssetError("asset: the directory holds no such column or file; scan the source first")
        audit.record(
            "inventory.mark_state",
            actor=actor,
            object_type="asset",
            object_ref=".".join(part for part in (schema, table, file, column) if part),
            facts={"state": state.value, "assets": changed, "source": str(source_id)},
        )


def mark_protected(source_id: UUID) -> None:
    """Note that a source went through protection as a whole; part of the caller's transaction."""
    DataSource.objects.filter(source_id=source_id).update(protected_at=clock.now())


def summary() -> InventorySummary:
    """Return the directory in numbers, for charts and reports."""
    present = Asset.objects.filter(Q(present=True) | Q(state=AssetState.DESTROYED.value), source__active=True)
    personal = present.exclude(element="")
    grouped = personal.values("category", "state").annotate(assets=Count("id"), total=Sum("rows"))
    clear = personal.filter(state=AssetState.CLEAR.value, masked=False)
    newest = DataSource.objects.filter(active=True, last_scanned_at__isnull=False).order_by("-last_scanned_at").first()
    return InventorySummary(
        sources=DataSource.objects.filter(active=True).count(),
        assets=present.count(),
        personal=personal.count(),
        counts=tuple(
            CategoryCount(category=row["category"], state=row["state"], assets=row["assets"], rows=row["total"] or 0)
            for row in grouped.order_by("category", "state")
        ),
        clear_remainder=clear.count(),
        unprotected=clear.filter(element__in=TO_BE_PROTECTED).count(),
        not_read=present.filter(state=AssetState.NOT_READ.value).count(),
        drifted=drift().count(),
        last_scanned_at=newest.last_scanned_at if newest else None,
    )


def drift() -> QuerySet[Asset]:
    """Return personal assets that turned up in clear after the first scan of their source."""
    return Asset.objects.filter(drifted_at__isnull=False, present=True, source__active=True)
