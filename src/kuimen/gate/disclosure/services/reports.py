"""Counts for charts, and what a watermark resolves to. No personal data anywhere here."""

from datetime import date, timedelta
from uuid import UUID

from django.db.models import Count, Sum

from kuimen.foundation import clock
from kuimen.foundation.identifiers import ViewId
from kuimen.gate.disclosure.errors import ViewNotFoundError
from kuimen.gate.disclosure.models import Disclosure
from kuimen.gate.disclosure.results import DisclosureCount, ViewTrace
from kuimen.gate.disclosure.rules import Kind

DEFAULT_DAYS = 30


def statistics(*, since: date | None = None, until: date | None = None) -> list[DisclosureCount]:
    """Return disclosures per day, purpose and kind, oldest first; both days included.

    Args:
        since: first day; 30 days back when absent.
        until: last day; today when absent.
    """
    last = until or clock.today()
    first = since or last - timedelta(days=DEFAULT_DAYS - 1)
    counted = (
        Disclosure.objects.filter(day__gte=first, day__lte=last)
        .values("day", "purpose", "kind")
        .annotate(disclosures=Count("view_id"), customers=Sum("rows"))
        .order_by("day", "purpose", "kind")
    )
    return [
        DisclosureCount(
            day=row["day"],
            purpose=row["purpose"],
            kind=Kind(row["kind"]),
            disclosures=row["disclosures"],
            rows=row["customers"] or 0,
        )
        for row in counted
    ]


def resolve_view(view_id: UUID) -> ViewTrace:
    """Return what the id of a watermark stands for.

    Raises:
        ViewNotFoundError: no view has this id.
    """
    row = Disclosure.objects.filter(view_id=view_id).first()
    if row is None:
        raise ViewNotFoundError("view_id: no view has this id")
    return ViewTrace(
        view_id=ViewId(row.view_id),
        kind=Kind(row.kind),
        occurred_at=row.occurred_at.astimezone(clock.SHANGHAI),
        staff_no=row.staff_no,
        purpose=row.purpose,
        object_type=row.object_type,
        object_ref=row.object_ref,
        entry_id=row.entry_id,
    )
