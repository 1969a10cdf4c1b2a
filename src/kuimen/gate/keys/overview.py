"""The state of the keys for status pages: no key is opened, no passphrase is needed, nothing that opens anything."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.db.models import Count, Max

from kuimen.foundation import clock
from kuimen.foundation.errors import KuimenError
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services, store
from kuimen.gate.keys.backup import backup_findings
from kuimen.gate.keys.index_generations import index_generations
from kuimen.gate.keys.models import DomainKey, PersonKey, RootInUse, SigningKey, TableKey
from kuimen.gate.keys.orders import Order, latest
from kuimen.gate.keys.rewrap import rewrap_jobs
from kuimen.gate.keys.root_file import read_root_info
from kuimen.gate.keys.rules import (
    CRYPTO_PERIOD,
    INDEX_PERIOD,
    MOST_USES,
    ROOT_PERIOD,
    Due,
    KeyState,
    RetentionClass,
    due,
)

Facts = dict[str, Any]

# What happens to keys, as the log names it; single uses of the root and of domain keys are left to the log itself.
CUSTODY_ACTIONS: Final = (
    "keys.unlock", "keys.lock", "keys.custodian_passphrase", "keys.root_reshared", "keys.domain_key_",
    "keys.index_key_", "keys.rewrap", "keys.order_", "keys.rotate_domain", "keys.destroy_domain", "keys.backup_",
    "keys.tamper_alarm",
)  # fmt: skip
EVENTS_SHOWN: Final = 12


def overview(root_file: Path) -> Facts:
    """Return the root, every version of the domain keys with what stands under it, index keys, jobs and backup.

    Cost: one pass over each key table.
    """
    at = clock.now()
    return {
        "root": _root(root_file, at),
        "domain_keys": domain_keys(),
        "index_keys": [
            {
                "element": one.element,
                "generation": one.generation,
                "state": one.state.value,
                "since": one.since.isoformat(),
                "due": _due_if_active(one.state, one.since, INDEX_PERIOD, at),
            }
            for one in index_generations()
        ],
        "signing_keys": _signing_keys(),
        "orders": [_order(one) for one in latest()],
        "rewraps": [
            {
                "retention_class": job.retention_class,
                "to_version": job.to_version,
                "running": job.running,
                "rewrapped": job.rewrapped,
                "does_not_open": job.does_not_open,
                "started_at": job.started_at.isoformat(),
            }
            for job in rewrap_jobs()
        ],
        "backup": [{name: _told(value) for name, value in asdict(one).items()} for one in backup_findings(root_file)],
    }


def custody_events(limit: int = EVENTS_SHOWN) -> list[audit.EntryView]:
    """Return the latest entries about the custody of keys, newest first."""
    found = [
        entry
        for action in CUSTODY_ACTIONS
        for entry in audit.entries(audit.EntryFilter(action=action), limit=limit).entries
    ]
    return sorted(found, key=lambda entry: entry.occurred_at, reverse=True)[:limit]


def _root(root_file: Path, at: datetime) -> Facts:
    with store.translated():
        in_use = RootInUse.objects.using(store.DATABASE).first()
    facts: Facts = {
        "since": in_use.since.isoformat() if in_use else None,
        "due": due(in_use.since if in_use else None, ROOT_PERIOD, at=at).value,
        "unlocked_here": services.is_unlocked(),
    }
    try:
        info = read_root_info(root_file)
    except KuimenError as flaw:
        return facts | {"state": flaw.code, "due": Due.UNKNOWN.value}
    return facts | {
        "state": "sealed" if in_use is None or in_use.fingerprint == info.fingerprint else "keys.root_mismatch",
        "fingerprint": info.fingerprint,
        "provider": "sealed_file" if info.token is None else "pkcs11",
        "token": info.token.token_label if info.token else "",
        "custodians": list(info.custodians),
        "threshold": info.threshold,
        "kdf": str(info.cost.described()["name"]),
    }


def domain_keys() -> list[Facts]:
    """Return every version of the domain keys: period, uses, and what stands under it."""
    at = clock.now()
    under = {"person": _counts(PersonKey), "table": _counts(TableKey)}
    with store.translated():
        rows = list(DomainKey.objects.using(store.DATABASE).order_by("retention_class", "version"))
    found = []
    for row in rows:
        facts: Facts = {
            "retention_class": RetentionClass(row.retention_class).value,
            "version": row.version,
            "suite": row.suite,
            "state": row.state,
            "since": row.state_since.isoformat(),
            "created": row.created_at.isoformat(),
            "age_days": (at - row.created_at).days,
            "due": _due_if_active(KeyState(row.state), row.created_at, CRYPTO_PERIOD, at),
            "uses_leased": row.uses_leased,
            "uses_permille": row.uses_leased * 1000 // MOST_USES,
        }
        for which, counted in under.items():
            states, uses, generations = counted[(row.retention_class, row.version)]
            facts |= {
                f"{which}_keys": sum(count for state, count in states.items() if state != KeyState.DESTROYED.value),
                f"{which}_states": dict(states),
                f"{which}_uses": uses,
                f"{which}_generations": generations,
            }
        found.append(facts)
    return found


Counted = tuple[Mapping[str, int], int, int]


def _counts(table: type[PersonKey] | type[TableKey]) -> dict[tuple[str, int], Counted]:
    """Count keys by class, version of the domain key and state, with the most uses and the highest generation."""
    rows = table.objects.using(store.DATABASE).values_list("retention_class", "domain_version", "state")
    counted: defaultdict[tuple[str, int], Counted] = defaultdict(lambda: ({}, 0, 0))
    with store.translated():
        for kind, version, state, count, uses, generation in rows.annotate(
            count=Count("id"), uses=Max("uses_leased"), highest=Max("generation")
        ).order_by("retention_class", "domain_version", "state"):
            states, most, highest = counted[(kind, version)]
            counted[(kind, version)] = ({**states, state: count}, max(most, uses), max(highest, generation))
    return counted


def _signing_keys() -> list[Facts]:
    with store.translated():
        rows = SigningKey.objects.using(store.DATABASE).order_by("usage", "created_at")
        return [
            {"key_id": row.key_id, "usage": row.usage, "state": row.state, "created": row.created_at.isoformat()}
            for row in rows
        ]


def _order(order: Order) -> Facts:
    facts = {name: _told(getattr(order, name)) for name in Order.__slots__ if name != "deed"}
    return {"kind": order.deed.kind.value, "subject": order.deed.subject, "suite": order.deed.suite, **facts}


def _due_if_active(state: KeyState, since: datetime, period: timedelta, at: datetime) -> str:
    """Return where an active key stands; one that seals nothing any more has no period."""
    return due(since, period, at=at).value if state is KeyState.ACTIVE else ""


def _told(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, int | dict) else str(value)
