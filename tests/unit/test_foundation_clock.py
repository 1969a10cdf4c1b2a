"""One business clock: aware, in Asia/Shanghai, replaceable; a day ends at midnight there."""

from datetime import UTC, date, datetime, timedelta

import pytest

from kuimen.foundation import clock
from kuimen.foundation.clock import SHANGHAI, FixedClock, SystemClock

LATE = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)  # half past midnight of the 21st in Shanghai


def test_the_installed_clock_is_the_one_that_is_read_and_the_former_comes_back() -> None:
    fixed = FixedClock(LATE)
    former = clock.install_clock(fixed)
    try:
        assert clock.now() == LATE
        assert clock.today() == date(2026, 11, 21)
        fixed.advance(timedelta(days=1))
        assert clock.today() == date(2026, 11, 22)
    finally:
        assert clock.install_clock(former) is fixed


def test_the_machines_clock_is_aware_and_read_in_shanghai() -> None:
    assert SystemClock().now().utcoffset() == timedelta(hours=8)


def test_a_day_is_a_half_open_interval_of_24_hours() -> None:
    first, after = clock.day_bounds(date(2026, 2, 28))
    assert first == datetime(2026, 2, 28, tzinfo=SHANGHAI)
    assert after == datetime(2026, 3, 1, tzinfo=SHANGHAI)


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        FixedClock(datetime(2026, 11, 20, 10, 0))  # noqa: DTZ001 - refused for it
