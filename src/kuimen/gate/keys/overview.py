"""The state of the keys for status pages: no key is opened, no passphrase is needed."""

from pathlib import Path
from typing import Any

from kuimen.foundation.errors import KuimenError
from kuimen.gate.keys import store
from kuimen.gate.keys.domain_keys import keys_by_version
from kuimen.gate.keys.index_generations import index_generations
from kuimen.gate.keys.models import DomainKey, PersonKey, TableKey
from kuimen.gate.keys.rewrap import rewrap_jobs
from kuimen.gate.keys.root_file import read_root_info
from kuimen.gate.keys.rules import MOST_USES, RetentionClass


def overview(root_file: Path) -> dict[str, Any]:
    """Return the root, every version of the domain keys with what stands under it, index keys and rewraps.

    A root file that cannot be read is named by the code of its error.
    """
    return {
        "root": _root(root_file),
        "domain_keys": _domain_keys(),
        "index_keys": [
            {"element": one.element, "generation": one.generation, "state": one.state.value}
            for one in index_generations()
        ],
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
    }


def _root(root_file: Path) -> dict[str, Any]:
    try:
        info = read_root_info(root_file)
    except KuimenError as flaw:
        return {"state": flaw.code}
    return {
        "state": "sealed",
        "fingerprint": info.fingerprint,
        "provider": "sealed_file" if info.token is None else "pkcs11",
        "custodians": list(info.custodians),
        "threshold": info.threshold,
        "kdf": str(info.cost.described()["name"]),
    }


def _domain_keys() -> list[dict[str, Any]]:
    under = {kind: (keys_by_version(PersonKey, kind), keys_by_version(TableKey, kind)) for kind in RetentionClass}
    with store.translated():
        rows = list(DomainKey.objects.using(store.DATABASE).order_by("retention_class", "version"))
    return [
        {
            "retention_class": row.retention_class,
            "version": row.version,
            "suite": row.suite,
            "state": row.state,
            "person_keys": under[RetentionClass(row.retention_class)][0].get(row.version, 0),
            "table_keys": under[RetentionClass(row.retention_class)][1].get(row.version, 0),
            "uses_permille": row.uses_leased * 1000 // MOST_USES,
            "since": row.state_since.isoformat(),
        }
        for row in rows
    ]
