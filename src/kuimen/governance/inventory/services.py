"""Use cases of the asset directory: register a source, record a scan, mark what protection did, sum up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Sum

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory import credentials
from kuimen.governance.inventory.errors import MixedScanError, UnknownAssetError, UnknownSourceError
from kuimen.governance.inventory.models import Asset, DataSource, ScanRun
from kuimen.governance.inventory.rules import TO_BE_PROTECTED, AssetState, SourceKind, merge
from kuimen.kernels.elements import TABLE_VERSION
from kuimen.sources.opening import connection_parameters, is_database, open_source
from kuimen.sources.postgresql import PostgresSource
from kuimen.sources.relations import Source
from kuimen.sources.scan import ScanRow

_SECRET_PARAMETERS = frozenset({"password", "sslpassword", "passfile"})


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


def register_source(
    location: str,
    *,
    actor: audit.Actor,
    credentials_file: Path | None = None,
    overlay: str | None = None,
    source: Source | None = None,
    keep_password: bool = True,
) -> DataSource:
    """Register a source, or find it again under the same identity and refresh its address.

    A password is sealed, so that controls can look again at the live source; the keys must be unlocked for that.
    Without `keep_password` it is dropped, and one that was sealed before stays.

    Raises:
        SourceLocationError, CredentialsFileError, SourceUnavailableError: it cannot be opened.
        KeysLockedError: there is a password to seal and nobody has unlocked the keys.
    """
    opened = source if source is not None else open_source(location, credentials_file=credentials_file)
    try:
        fingerprint, label = opened.fingerprint, opened.label
    finally:
        if source is None:
            opened.close()
    address: dict[str, str] = {"path": str(Path(location).expanduser().resolve())}
    password = None
    kind = SourceKind.FILES
    if is_database(location):
        kind = SourceKind.POSTGRESQL
        parameters = connection_parameters(location, credentials_file=credentials_file)
        address = {name: value for name, value in parameters.items() if name not in _SECRET_PARAMETERS}
        password = parameters.get("password") if keep_password else None
    with transaction.atomic():
        found = DataSource.objects.select_for_update().filter(fingerprint=fingerprint).first()
        row = found or DataSource(source_id=new_ref(), fingerprint=fingerprint, registered_at=clock.now())
        row.label, row.kind, row.location, row.overlay = label, kind.value, address, overlay or ""
        if password is not None:
            row.sealed_password = credentials.seal_password(row.source_id, password)
        row.save()
        if found is None:
            audit.record(
                "inventory.register_source",
                actor=actor,
                object_type="data_source",
                object_ref=str(row.source_id),
                facts={"label": label, "kind": kind.value},
            )
    return row


def reopen(row: DataSource) -> Source:
    """Open a registered source again, read-only.

    Raises:
        SourceCredentialsError: its password cannot be opened.
        SourceLocationError, SourceUnavailableError: it is not there any more.
    """
    if row.kind == SourceKind.FILES.value:
        return open_source(row.location["path"])
    return PostgresSource(connection_of(row))


def connection_of(row: DataSource) -> dict[str, str]:
    """Return libpq parameters of a registered database, password included; never print or store them.

    Raises:
        SourceCredentialsError: its password cannot be opened.
    """
    parameters = dict(row.location)
    if row.sealed_password is not None:
        parameters["password"] = credentials.open_password(row.source_id, bytes(row.sealed_password))
    return parameters


def source_of(source_id: UUID) -> DataSource:
    """Return a registered source.

    Raises:
        UnknownSourceError: none has this id.
    """
    row = DataSource.objects.filter(source_id=source_id).first()
    if row is None:
        raise UnknownSourceError("source_id: no such source is registered")
    return row


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
