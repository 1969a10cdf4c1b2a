"""How fast a job in the background may go."""

import time
from collections.abc import Callable
from threading import Event

Advance = Callable[[int, int], None]
"""Called with how many are done and how many there are; 0 where that is not known."""


class Pace:
    """Holds a job to a number of rows a second, measured from its start; without a number it only counts."""

    def __init__(self, rows_per_second: int | None) -> None:
        """Start now."""
        self._rate = rows_per_second
        self._started = time.monotonic()
        self._done = 0
        self._never = Event()

    def after(self, rows: int) -> None:
        """Count rows, and wait where they came too fast."""
        self._done += rows
        if self._rate is None:
            return
        ahead = self._done / self._rate - (time.monotonic() - self._started)
        if ahead > 0:
            self._never.wait(ahead)
