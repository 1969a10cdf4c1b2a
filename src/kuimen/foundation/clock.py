"""The one business clock: Asia/Shanghai, injectable.

Retention, contact hours, terms, quotas per day and yearly duties all ask this clock. Wall-clock calls anywhere else
are refused by a house lint. Tests and demonstrations use :class:`FixedClock`.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the time; every reading is aware."""

    def now(self) -> datetime:
        """Return the present moment, aware, in Asia/Shanghai."""
        ...


class SystemClock:
    """The machine's clock read in Asia/Shanghai."""

    def now(self) -> datetime:
        """Return the present moment, aware, in Asia/Shanghai."""
        return datetime.now(tz=UTC).astimezone(SHANGHAI)


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self, moment: datetime) -> None:
        """Start at `moment`, which must be aware."""
        if moment.tzinfo is None:
            msg = "a clock needs an aware datetime"
            raise ValueError(msg)
        self._moment = moment.astimezone(SHANGHAI)

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self._moment

    def advance(self, by: timedelta) -> None:
        """Move the clock forward (or back, for a negative `by`)."""
        self._moment += by


_installed: list[Clock] = [SystemClock()]


def install_clock(clock: Clock) -> Clock:
    """Make `clock` the process's business clock and return the one it replaces."""
    previous = _installed[0]
    _installed[0] = clock
    return previous


def now() -> datetime:
    """Return the present moment of the installed business clock, aware, in Asia/Shanghai."""
    return _installed[0].now()


def today() -> date:
    """Return the business date in Asia/Shanghai."""
    return now().date()


def day_bounds(day: date) -> tuple[datetime, datetime]:
    """Return the first moment of a Shanghai day and of the day after: a half-open interval."""
    start = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return start, start + timedelta(days=1)
