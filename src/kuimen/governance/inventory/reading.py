"""Lists of the asset directory for pages and reports: places and elements, never a value."""

from dataclasses import dataclass

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
