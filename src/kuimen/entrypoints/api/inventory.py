"""The asset directory: where personal data is and in which state."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from kuimen.entrypoints.api.caller import caller_of
from kuimen.gate.access import services as access
from kuimen.gate.access.rules import Action, Resource
from kuimen.governance.inventory import services

router = Router()


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
