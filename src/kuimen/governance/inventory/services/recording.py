"""Write a scan into the directory: what is there, what changed, what was not read."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory.correction_rules import corrected, place_of_row
from kuimen.governance.inventory.drift_rules import DriftKind, drift_kind
from kuimen.governance.inventory.errors import MixedScanError, UnknownSourceError
from kuimen.governance.inventory.models import Asset, DataSource, Drift, ScanRun
from kuimen.governance.inventory.rules import AssetState, merge
from kuimen.governance.inventory.services.correcting import rules_for
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
        merging = _Merging(source, moment=moment, first_scan=source.last_scanned_at is None)
        merging.take_all(rows, held)
        gone = _gone(merging, rows, held)
        source.last_scanned_at, source.attempted_at, source.fault = moment, moment, ""
        source.save(update_fields=["last_scanned_at", "attempted_at", "fault"])
        assets = list(merging.seen.values())
        run = _scan_run(source, assets, actor=actor, started_at=started_at or moment, finished_at=moment)
        _write_news(run, merging.news, actor=actor)
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
                "gone": gone,
            },
        )
    return ScanSummary(source_id=source.source_id, **{name: getattr(run, name) for name in _COUNTED})


def _gone(merging: "_Merging", rows: Sequence[ScanRow], held: Mapping["_Place", Asset]) -> int:
    """Mark what the scan did not meet. Columns of a table that was named and not read have not gone."""
    unread = {
        (row.schema or "", row.table or "", row.file or ""): row.reason or ""
        for row in rows
        if row.state == AssetState.NOT_READ.value and row.column is None
    }
    missed = [asset for place, asset in held.items() if place not in merging.seen and asset.present]
    for asset in missed:
        reason = unread.get((asset.schema_name, asset.table_name, asset.file_name))
        if reason is not None:
            asset.reason = reason
            continue
        asset.present = False
        if asset.element and not merging.first_scan:
            merging.news.append(_News(asset, DriftKind.VANISHED, asset.element, ""))
    Asset.objects.bulk_update(missed, ["present", "reason"], batch_size=500)
    return sum(not asset.present for asset in missed)


def _write_news(run: ScanRun, news: Sequence["_News"], *, actor: audit.Actor) -> None:
    """Keep what changed until somebody takes note of it, and say so on record."""
    Drift.objects.bulk_create(
        [
            Drift(
                drift_id=new_ref(),
                asset=one.asset,
                run=run,
                kind=one.kind.value,
                before=one.before,
                after=one.after,
                seen_at=run.finished_at,
            )
            for one in news
        ],
        batch_size=500,
    )
    if news:
        counts = Counter(one.kind for one in news)
        audit.record(
            "inventory.drift",
            actor=actor,
            object_type="data_source",
            object_ref=str(run.source_id),
            facts={kind.value: counts[kind] for kind in DriftKind if counts[kind]},
        )


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
    "found_element",
    "correction",
    "review",
)


def _place_of(asset: Asset) -> _Place:
    return asset.schema_name, asset.table_name, asset.column_name, asset.file_name, asset.facet


@dataclass(frozen=True, slots=True)
class _News:
    """One change of a place that the directory knows."""

    asset: Asset
    kind: DriftKind
    before: str
    after: str


class _Merging:
    """The rows of one scan on their way into the directory."""

    def __init__(self, source: DataSource, *, moment: datetime, first_scan: bool) -> None:
        self.source = source
        self.moment = moment
        self.first_scan = first_scan
        self.book = rules_for(source)
        self.seen: dict[_Place, Asset] = {}
        self.news: list[_News] = []

    def take_all(self, rows: Sequence[ScanRow], held: Mapping[_Place, Asset]) -> None:
        fresh: list[Asset] = []
        for row in rows:
            schema, table, column, file = place_of_row(row)
            place = (schema, table, column, file, (row.element or "") if row.type == "log" else "")
            if row.replaces is not None and place in self.seen:  # the clear column still stands beside its references
                self.seen[place].reference_column = row.column or ""
                continue
            asset = held.get(place)
            if asset is None:
                asset = self._new(place)
                fresh.append(asset)
            self._take_one(asset, row)
            self.seen[place] = asset
        Asset.objects.bulk_create(fresh, batch_size=500)
        known = [asset for place, asset in self.seen.items() if place in held]
        Asset.objects.bulk_update(known, _MERGED_FIELDS, batch_size=500)

    def _new(self, place: _Place) -> Asset:
        return Asset(
            source=self.source,
            schema_name=place[0],
            table_name=place[1],
            column_name=place[2],
            file_name=place[3],
            facet=place[4],
            first_seen_at=self.moment,
            state_since=self.moment,
        )

    def _take_one(self, asset: Asset, row: ScanRow) -> None:
        is_new, was, was_clear = asset.pk is None, asset.element, asset.state == AssetState.CLEAR.value
        word, rule = corrected(row, self.book)
        _take(asset, word, moment=self.moment, first_scan=self.first_scan, is_new=is_new)
        if row.state != AssetState.NOT_READ.value and asset.state != AssetState.DESTROYED.value:
            asset.found_element = row.element or ""
            asset.correction_id = rule.correction_id if rule is not None else None
            asset.review = row.review and rule is None
        kind = drift_kind(
            drifted=asset.drifted_at == self.moment,
            is_new=is_new,
            was_element=was,
            element=asset.element,
            was_clear=was_clear,
            first_scan=self.first_scan,
        )
        if kind is not None:
            self.news.append(_News(asset, kind, was, asset.element))


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
