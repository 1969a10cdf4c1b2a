"""One figure, beside the nearest limit measured in the same run."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """How much was done in a second of processor time, and what else managed."""

    what: str
    rate: float
    limit: str
    limit_rate: float

    @property
    def ratio(self) -> float:
        return self.rate / self.limit_rate


def rate_of(work: Callable[[], object], *, items: int, rounds: int = 3) -> float:
    """Items per second of processor time, best of some rounds: other load on the machine only makes a round slower."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return items / best
