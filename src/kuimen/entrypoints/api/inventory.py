"""The asset directory: where personal data is and in which state."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from kuimen.entrypoints.api.caller import caller_of
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.governance.inventory import services
from kuimen.governance.inventory.reading import personal_assets
from kuimen.governance.inventory.rules import AssetState

router = Router()

PAGE_ROWS = 200


class CountOut(Schema):
    """Assets of one category in one state."""

    category: str
    state: str
    assets: int
    rows: int


class SummaryOut(Schema):
    """The directory in numbers; `not_read` places are never counted as clear of personal data."""

    sources: int
    assets: int
    personal: int
    unprotected: int
    not_read: int
    drifted: int
    last_scanned_at: datetime | None
    counts: list[CountOut]


@router.get("/summary", response=SummaryOut, summary="Directory in numbers")
def summary(request: HttpRequest) -> SummaryOut:
    """Count assets by category and state."""
    access.require(caller_of(request), Action.INVENTORY_READ, Resource(kind="inventory"))
    found = services.summary()
    return SummaryOut(
        sources=found.sources,
        assets=found.assets,
        personal=found.personal,
        unprotected=found.unprotected,
        not_read=found.not_read,
        drifted=found.drifted,
        last_scanned_at=found.last_scanned_at,
        counts=[
            CountOut(category=count.category, state=count.state, assets=count.assets, rows=count.rows)
            for count in found.counts
        ],
    )


class AssetOut(Schema):
    """One column or file that holds, or held, personal data."""

    place: str
    element: str
    title_zh: str
    title_en: str
    category: str
    level: int | None
    likelihood: str
    rows: int
    state: str


class AssetsOut(Schema):
    """One page of the directory."""

    items: list[AssetOut]
    page: int
    pages: int
    total: int


@router.get("/assets", response=AssetsOut, summary="Where personal data is")
def assets(
    request: HttpRequest, page: Annotated[int, Field(ge=1, le=1_000_000)] = 1, state: AssetState | None = None
) -> AssetsOut:
    """Return one page of at most 200 assets, in the order of the sources; places and elements, never a value."""
    access.require(caller_of(request), Action.INVENTORY_READ, Resource(kind="inventory"))
    found = [asset for asset in personal_assets() if state is None or asset.state == state.value]
    shown = found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS]
    return AssetsOut(
        items=[AssetOut.model_validate(asset) for asset in shown],
        page=page,
        pages=max(1, -(-len(found) // PAGE_ROWS)),
        total=len(found),
    )
