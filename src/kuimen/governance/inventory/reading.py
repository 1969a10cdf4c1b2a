"""Lists of the asset directory for pages and reports: places and elements, never a value."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Q, QuerySet

from kuimen.governance.inventory.models import Asset
from kuimen.governance.inventory.rules import TO_BE_PROTECTED, AssetState
from kuimen.kernels.elements import ELEMENT_TABLE, Element


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetView:
    """One asset that holds, or held, personal data."""

    place: str
    element: str
    title_zh: str
    title_en: str
    category: str
    level: int | None
    likelihood: str
    rows: int
    state: str


class Only(StrEnum):
    """Entries that want somebody's eyes."""

    PERSONAL = "personal"
    UNPROTECTED = "unprotected"
    DRIFTED = "drifted"
    REVIEW = "review"
    CORRECTED = "corrected"
    NOT_READ = "not_read"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetFilter:
    """Which entries to list; an empty field does not narrow.

    Attributes:
        text: part of the place: schema, table, column or file.
    """

    source_id: UUID | None = None
    only: Only = Only.PERSONAL
    state: str = ""
    category: str = ""
    element: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetLine:
    """One entry of the directory with what led to it; evidence names rules and counts, never a value.

    Attributes:
        element: what the directory says, empty for nothing personal.
        found_element: what the scanner said; it differs where a correction is in force.
        correctable: the entry is one column, so that a steward can correct it.
    """

    asset_id: int
    source: str
    place: str
    value_type: str
    element: str
    title_zh: str
    title_en: str
    found_element: str
    category: str
    level: int | None
    likelihood: str
    state: str
    masked: bool
    rows: int
    sampled: int
    reason: str
    present: bool
    review: bool
    drifted: bool
    corrected: bool
    correctable: bool
    seen_at: datetime
    evidence: Sequence[str] = field(default=())
    secondary: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetPage:
    """One page of the directory."""

    lines: Sequence[AssetLine]
    page: int
    pages: int
    total: int


def find_assets(wanted: AssetFilter, *, page: int = 1, size: int = 50) -> AssetPage:
    """Return one page of entries in the order of their sources. Cost: two queries."""
    found = _matching(wanted)
    total = found.count()
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)
    shown = found.select_related("source")[(page - 1) * size : page * size]
    return AssetPage(lines=[_line(asset) for asset in shown], page=page, pages=pages, total=total)


def _matching(wanted: AssetFilter) -> QuerySet[Asset]:
    found = Asset.objects.filter(Q(present=True) | Q(state=AssetState.DESTROYED.value), source__active=True)
    found = found.filter(_ONLY[wanted.only]).distinct()
    for name in ("state", "category", "element"):
        chosen = getattr(wanted, name)
        if chosen:
            found = found.filter(**{name: chosen})
    if wanted.source_id is not None:
        found = found.filter(source_id=wanted.source_id)
    for word in wanted.text.split(".")[:4]:
        if word.strip():
            found = found.filter(
                Q(schema_name__icontains=word)
                | Q(table_name__icontains=word)
                | Q(column_name__icontains=word)
                | Q(file_name__icontains=word)
            )
    return found


_ONLY = {
    Only.PERSONAL: ~Q(element=""),
    Only.UNPROTECTED: Q(element__in=TO_BE_PROTECTED, state=AssetState.CLEAR.value, masked=False),
    Only.DRIFTED: Q(drifted_at__isnull=False) | Q(drifts__noted_at=None, drifts__isnull=False),
    Only.REVIEW: Q(review=True),
    Only.CORRECTED: Q(correction__isnull=False),
    Only.NOT_READ: Q(state=AssetState.NOT_READ.value) | ~Q(reason=""),
    Only.EVERYTHING: Q(),
}


def _line(asset: Asset) -> AssetLine:
    rule = ELEMENT_TABLE[Element(asset.element)] if asset.element else None
    return AssetLine(
        asset_id=asset.pk,
        source=asset.source.label,
        place=str(asset),
        value_type=asset.value_type,
        element=asset.element,
        title_zh=rule.title_zh if rule else "",
        title_en=rule.title_en if rule else "",
        found_element=asset.found_element,
        category=asset.category,
        level=asset.level,
        likelihood=asset.likelihood,
        state=asset.state,
        masked=asset.masked,
        rows=asset.rows,
        sampled=asset.sampled,
        reason=asset.reason,
        present=asset.present,
        review=asset.review,
        drifted=asset.drifted_at is not None,
        corrected=asset.correction_id is not None,
        correctable=bool(asset.column_name) and not asset.facet,
        seen_at=asset.seen_at,
        evidence=asset.evidence,
        secondary=asset.secondary,
    )


def personal_assets() -> list[AssetView]:
    """Return every asset of the active sources that holds or held personal data, in the order of the sources."""
    return [_view(asset) for asset in _personal()]


def unprotected_assets(*, limit: int) -> list[AssetView]:
    """Return assets that are to be sealed or destroyed and still stand in clear, gravest category first."""
    clear = _personal().filter(state=AssetState.CLEAR.value, element__in=TO_BE_PROTECTED)
    return [_view(asset) for asset in clear.order_by("-category", "id")[:limit]]


def _personal() -> QuerySet[Asset]:
    there = Asset.objects.filter(Q(present=True) | Q(state=AssetState.DESTROYED.value), source__active=True)
    return there.exclude(element="")


def _view(asset: Asset) -> AssetView:
    rule = ELEMENT_TABLE[Element(asset.element)]
    return AssetView(
        place=str(asset),
        element=asset.element,
        title_zh=rule.title_zh,
        title_en=rule.title_en,
        category=asset.category,
        level=asset.level,
        likelihood=asset.likelihood,
        rows=asset.rows,
        state=asset.state,
    )
