"""The asset directory: where personal data is and in which state."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from kuimen.entrypoints.api.bodies import NO_NUL
from kuimen.entrypoints.api.caller import caller_of
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.governance.inventory import services
from kuimen.governance.inventory.reading import AssetFilter, Only, find_assets
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
    """One column or file; `element` is empty where nothing personal was found."""

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
    rows: int
    state: str
    masked: bool
    reason: str
    review: bool
    drifted: bool
    corrected: bool
    correctable: bool
    evidence: list[str]
    secondary: list[str]


class AssetsOut(Schema):
    """One page of the directory."""

    items: list[AssetOut]
    page: int
    pages: int
    total: int


@router.get("/assets", response=AssetsOut, summary="Where personal data is")
def assets(
    request: HttpRequest,
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1,
    state: AssetState | None = None,
    only: Only = Only.PERSONAL,
    source_id: UUID | None = None,
    element: Annotated[str, Field(max_length=32)] = "",
    text: Annotated[str, Field(max_length=128, pattern=NO_NUL)] = "",
) -> AssetsOut:
    """Return one page of at most 200 assets, in the order of the sources; places and elements, never a value."""
    access.require(caller_of(request), Action.INVENTORY_READ, Resource(kind="inventory"))
    wanted = AssetFilter(source_id=source_id, only=only, state=state.value if state else "", element=element, text=text)
    found = find_assets(wanted, page=page, size=PAGE_ROWS)
    beyond = page > found.pages
    return AssetsOut(
        items=[] if beyond else [AssetOut.model_validate(line) for line in found.lines],
        page=page,
        pages=found.pages,
        total=found.total,
    )
