"""One figure, beside the nearest limit measured in the same run."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What was measured, and what the bare work under it takes in the same run.

    Attributes:
        what: the deed.
        value: how many of it in a second, or how long one takes.
        unit: of both figures; of rates more is better, of times less.
        limit: the nearest limit: the same work without what Kuimen adds.
        limit_value: its figure.
    """

    what: str
    value: float
    limit: str
    limit_value: float
    unit: Literal["/s", "ms", "s"] = "/s"

    @property
    def ratio(self) -> float:
        return self.value / self.limit_value


def rate_of(work: Callable[[], object], *, items: int, rounds: int = 3) -> float:
    """Items per second of processor time, best of some rounds: other load on the machine only makes a round slower."""
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return items / best


def seconds_of(work: Callable[[], object]) -> float:
    """Time on the wall of one go: databases and disks wait, so processor time would flatter them."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def wall_rate_of(work: Callable[[], object], *, items: int, rounds: int = 1) -> float:
    """Items per second on the wall, best of some rounds."""
    return items / min(seconds_of(work) for _ in range(rounds))


def times_of(deeds: Sequence[Callable[[], object]]) -> list[float]:
    """Milliseconds on the wall of each deed, one after the other."""
    return [1000 * seconds_of(deed) for deed in deeds]


def percentile(times: Sequence[float], share: float) -> float:
    """The smallest time that this share of all does not exceed."""
    return sorted(times)[math.ceil(share * len(times)) - 1]
