"""Write a scan into the directory: what is there, what changed, what was not read."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory.errors import MixedScanError, UnknownSourceError
from kuimen.governance.inventory.models import Asset, DataSource, ScanRun
from kuimen.governance.inventory.rules import AssetState, merge
from kuimen.kernels.elements import TABLE_VERSION
from kuimen.sources.scan import ScanRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSummary:
    """What one recorded scan changed in the directory."""

    run_id: UUID
    source_id: UUID
    columns: int
    personal: int
    clear: int
    not_read: int
    drifted: int


def record_scan(
    scan_rows: Iterable[ScanRow],
    actor: audit.Actor,
    *,
    source_id: UUID | None = None,
    started_at: datetime | None = None,
) -> ScanSummary:
    """Write one complete scan of one source into the directory, all of it or nothing.

    Args:
        scan_rows: every row of the scan; an iterator is drained before the transaction begins.
        actor: who scanned.
        source_id: the registered source; without it the rows' label is looked up.
        started_at: when the scan began, for the run's record.

    Raises:
        MixedScanError: the rows name several sources, or none.
        UnknownSourceError: the source is not registered.
    """
    rows = list(scan_rows)
    labels = {row.source for row in rows}
    if source_id is None and len(labels) != 1:
        raise MixedScanError("scan_rows: must come from exactly one source")
    moment = clock.now()
    with transaction.atomic():
        sources = DataSource.objects.select_for_update()
        source = sources.filter(Q(source_id=source_id) if source_id else Q(label=labels.pop())).first()
        if source is None:
            raise UnknownSourceError("source: register it before recording a scan")
        held = {_place_of(asset): asset for asset in Asset.objects.filter(source=source)}
        first_scan = source.last_scanned_at is None
        seen = _merge_rows(source, rows, held, moment=moment, first_scan=first_scan)
        gone = [asset for place, asset in held.items() if place not in seen and asset.present]
        for asset in gone:
            asset.present = False
        Asset.objects.bulk_update(gone, ["present"], batch_size=500)
        source.last_scanned_at = moment
        source.save(update_fields=["last_scanned_at"])
        run = _scan_run(source, list(seen.values()), actor=actor, started_at=started_at or moment, finished_at=moment)
        audit.record(
            "inventory.scan",
            actor=actor,
            object_type="data_source",
            object_ref=str(source.source_id),
            facts={
                "columns": run.columns,
                "personal": run.personal,
                "clear": run.clear,
                "not_read": run.not_read,
                "drifted": run.drifted,
                "gone": len(gone),
            },
        )
    return ScanSummary(source_id=source.source_id, **{name: getattr(run, name) for name in _COUNTED})


_COUNTED = ("run_id", "columns", "personal", "clear", "not_read", "drifted")


def _scan_run(
    source: DataSource, assets: Sequence[Asset], *, actor: audit.Actor, started_at: datetime, finished_at: datetime
) -> ScanRun:
    return ScanRun.objects.create(
        run_id=new_ref(),
        source=source,
        started_at=started_at,
        finished_at=finished_at,
        actor=actor.ref,
        rules_version=TABLE_VERSION,
        columns=sum(bool(asset.column_name) for asset in assets),
        personal=sum(bool(asset.element) for asset in assets),
        clear=sum(bool(asset.element) and asset.state == AssetState.CLEAR.value for asset in assets),
        not_read=sum(asset.state == AssetState.NOT_READ.value for asset in assets),
        drifted=sum(asset.drifted_at == finished_at for asset in assets),
    )


_Place = tuple[str, str, str, str, str]
_MERGED_FIELDS = (
    "value_type",
    "element",
    "category",
    "level",
    "likelihood",
    "state",
    "masked",
    "secondary",
    "evidence",
    "rows",
    "sampled",
    "reason",
    "reference_column",
    "present",
    "seen_at",
    "state_since",
    "drifted_at",
)


def _place_of(asset: Asset) -> _Place:
    return asset.schema_name, asset.table_name, asset.column_name, asset.file_name, asset.facet


def _merge_rows(
    source: DataSource, rows: Sequence[ScanRow], held: Mapping[_Place, Asset], *, moment: datetime, first_scan: bool
) -> dict[_Place, Asset]:
    seen: dict[_Place, Asset] = {}
    fresh: list[Asset] = []
    for row in rows:
        place = (
            row.schema or "",
            row.table or "",
            row.replaces or row.column or "",
            row.file or "",
            (row.element or "") if row.type == "log" else "",
        )
        if row.replaces is not None and place in seen:  # the clear column still stands beside its references
            seen[place].reference_column = row.column or ""
            continue
        asset = held.get(place)
        if asset is None:
            asset = Asset(
                source=source,
                schema_name=place[0],
                table_name=place[1],
                column_name=place[2],
                file_name=place[3],
                facet=place[4],
                first_seen_at=moment,
                state_since=moment,
            )
            fresh.append(asset)
        _take(asset, row, moment=moment, first_scan=first_scan, is_new=asset.pk is None)
        seen[place] = asset
    Asset.objects.bulk_create(fresh, batch_size=500)
    Asset.objects.bulk_update([asset for place, asset in seen.items() if place in held], _MERGED_FIELDS, batch_size=500)
    return seen


def _take(asset: Asset, row: ScanRow, *, moment: datetime, first_scan: bool, is_new: bool) -> None:
    previous = None if is_new else AssetState(asset.state)
    merged = merge(
        previous,
        AssetState(row.state),
        personal=row.element is not None,
        first_scan=first_scan,
        was_personal=bool(asset.element),
        masked=row.masked,
    )
    if previous is not merged.state:
        asset.state_since = moment
    if merged.drifted:
        asset.drifted_at = moment
    elif merged.state is not AssetState.CLEAR:
        asset.drifted_at = None
    asset.state, asset.present, asset.seen_at = merged.state.value, True, moment
    if row.state == AssetState.NOT_READ.value and previous is not None and merged.state is not AssetState.NOT_READ:
        asset.reason = row.reason or ""
        return
    if previous is AssetState.DESTROYED and merged.state is AssetState.DESTROYED:
        # masks tell nothing of what they stand for: element, category and level stay as they were found
        asset.rows, asset.sampled, asset.reason = row.rows, row.sampled, ""
        return
    asset.value_type, asset.element, asset.category = row.type, row.element or "", row.category or ""
    asset.level, asset.likelihood, asset.masked = row.level, row.likelihood or "", row.masked
    asset.secondary, asset.evidence = list(row.secondary), list(row.evidence)
    asset.rows, asset.sampled, asset.reason = row.rows, row.sampled, row.reason or ""
    asset.reference_column = (row.column or "") if row.replaces is not None else ""
