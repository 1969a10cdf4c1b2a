"""Who tells the clocks when something ended.

Retention lies below the ledger and knows no loan. Each room that knows of relationships, adverse events or collections
registers, when its app is ready, a source that answers for many persons at once. Consent lies below and is asked
directly.
"""

from collections.abc import Collection, Iterable
from typing import Protocol
from uuid import UUID

from kuimen.gate.retention.rules import ClockEvent


class FactSource(Protocol):
    """Answers for many persons in a few queries."""

    def __call__(self, person_refs: Collection[UUID]) -> Iterable[ClockEvent]:
        """Return what is known of these persons that starts a clock when it ends; an open event counts too.

        Leaving an open event out lets somebody's data be destroyed too early; a source errs towards naming it.
        """
        ...


_sources: dict[str, FactSource] = {}


def register_fact_source(name: str, source: FactSource) -> None:
    """Register the source of one room.

    Raises:
        LookupError: another source has this name, a defect of the house.
    """
    if _sources.setdefault(name, source) is not source:
        msg = f"two sources of clock events are called {name}"
        raise LookupError(msg)


def source_names() -> tuple[str, ...]:
    """Return the rooms that tell the clocks something, sorted."""
    return tuple(sorted(_sources))


def told(person_refs: Collection[UUID]) -> list[ClockEvent]:
    """Return what every source knows of these persons."""
    return [event for name in sorted(_sources) for event in _sources[name](person_refs)]
