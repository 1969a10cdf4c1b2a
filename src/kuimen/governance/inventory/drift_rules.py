"""What a scan has to say about a place that was known before, and when a source is to be scanned again."""

from datetime import datetime, time, timedelta
from enum import StrEnum

from kuimen.foundation.clock import SHANGHAI

SHORTEST_INTERVAL_HOURS, LONGEST_INTERVAL_HOURS = 1, 24 * 31
NIGHT = time(2, 30)
_DAY_HOURS = 24


class DriftKind(StrEnum):
    """How a place differs from the scan before."""

    APPEARED = "appeared"
    BECAME_PERSONAL = "became_personal"
    REOPENED = "reopened"
    CHANGED = "changed"
    VANISHED = "vanished"


ALARMS = frozenset({DriftKind.APPEARED, DriftKind.BECAME_PERSONAL, DriftKind.REOPENED})


def drift_kind(
    *,
    drifted: bool,
    is_new: bool,
    was_element: str,
    element: str,
    was_clear: bool,
    first_scan: bool,
) -> DriftKind | None:
    """Return what is news about one place, None where nothing is.

    Args:
        drifted: clear personal data where the directory knew none in clear.
        is_new: the directory did not know the place.
        was_element: what the directory said that it holds, empty for nothing personal.
        element: what it says now.
        was_clear: its values stood in clear before.
        first_scan: everything is new then, and nothing is news.
    """
    if first_scan:
        return None
    if drifted:
        if is_new:
            return DriftKind.APPEARED
        return DriftKind.BECAME_PERSONAL if was_clear else DriftKind.REOPENED
    if not is_new and was_element and element and was_element != element:
        return DriftKind.CHANGED
    return None


def next_scan_at(last: datetime | None, *, every_hours: int, now: datetime) -> datetime:
    """Return when a source is due: whole days at night by the business clock, shorter intervals to the hour.

    Args:
        last: when it was last tried; None means at once.
        every_hours: its interval.
        now: the moment.
    """
    if last is None:
        return now
    due = last + timedelta(hours=every_hours)
    if every_hours % _DAY_HOURS:
        return due
    day = (last.astimezone(SHANGHAI) - timedelta(hours=NIGHT.hour, minutes=NIGHT.minute)).date()
    return datetime.combine(day + timedelta(hours=every_hours), NIGHT, tzinfo=SHANGHAI)
