"""Every use of the root and of a domain key on record, counted where uses come by the thousand.

Unwrapping a key under the root is recorded before the key is used, one entry each: it happens once per key and cache
lifetime. Wrapping and unwrapping under a domain key is counted, and the counts are recorded when the process loads the
domain key anew, every five minutes at most, and when it locks. A process that is killed takes its last counts with it;
that it had the domain key is on record all the same, and how much it can have wrapped stands in the lease.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from threading import Lock

from kuimen.foundation import clock
from kuimen.gate.audit import services as audit
from kuimen.gate.keys.rules import RetentionClass


def record_at_once(
    action: str,
    *,
    object_type: str,
    object_ref: str,
    facts: Mapping[str, audit.FactValue] | None = None,
    actor: audit.Actor = audit.SYSTEM,
) -> None:
    """Commit an audit entry whatever becomes of the transaction around it."""
    audit.record_refusal(
        action,
        actor=actor,
        object_type=object_type,
        object_ref=object_ref,
        outcome=audit.Outcome.DONE,
        facts=facts,
    )


def record_root_use(tree: str, name: str, *, deed: str) -> None:
    """Record that the root wrapped or unwrapped one key; called before the deed."""
    record_at_once("keys.root_use", object_type="root_key", object_ref=f"{tree}/{name}", facts={"deed": deed})


class DomainUses:
    """Counts what this process does under each version of a domain key."""

    def __init__(self) -> None:
        """Count from now on."""
        self._lock = Lock()
        self._counts: Counter[tuple[RetentionClass, int, str]] = Counter()
        self._since: dict[tuple[RetentionClass, int], datetime] = {}

    def count(self, kind: RetentionClass, version: int, deed: str, times: int) -> None:
        """Add to the count of one deed, `wrap` or `unwrap`."""
        with self._lock:
            self._counts[(kind, version, deed)] += times
            self._since.setdefault((kind, version), clock.now())

    def record(self) -> None:
        """Write one entry per domain key that was used since the last time, and begin anew."""
        with self._lock:
            counts, since = self._counts, self._since
            self._counts, self._since = Counter(), {}
        for (kind, version), begun in since.items():
            record_at_once(
                "keys.domain_use",
                object_type="key",
                object_ref=f"{kind.value}/{version}",
                facts={
                    "wrapped": counts[(kind, version, "wrap")],
                    "unwrapped": counts[(kind, version, "unwrap")],
                    "since": begun.isoformat(),
                },
            )

    def after_fork(self) -> None:
        """Begin anew in a forked child: what the parent counted, the parent records."""
        self._lock = Lock()
        self._counts.clear()
        self._since.clear()
