"""Use cases of rotation: plan, re-encrypt, re-index, merge. What destroys or cuts over is in `approved`.

Clause: JRT0171-6.2.4-a
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.gate.keys import store as key_store
from kuimen.gate.keys.domain_keys import active_suite
from kuimen.gate.keys.index_generations import index_generations
from kuimen.gate.keys.models import PersonKey, TableKey
from kuimen.gate.keys.pacing import Advance
from kuimen.gate.keys.rewrap import RewrapPlan, RewrapReport, plan_rewrap, run_rewrap
from kuimen.gate.keys.rules import KeyState, KeySuite, RetentionClass
from kuimen.gate.vault import store
from kuimen.gate.vault.errors import RotationInputError
from kuimen.gate.vault.rotation import jobs
from kuimen.gate.vault.rotation.jobs import RotationReport
from kuimen.gate.vault.rotation.reindexing import ReIndexing, next_generation, untagged
from kuimen.gate.vault.rotation.resealing import Merging, ReEncrypting
from kuimen.gate.vault.rules import RotationKind, is_indexed
from kuimen.kernels.elements.model import Element

__all__ = [
    "ReencryptPlan",
    "ReindexPlan",
    "RewrapPlan",
    "RewrapReport",
    "RotationReport",
    "merge_persons",
    "plan_reencrypt",
    "plan_reindex",
    "plan_rewrap",
    "reencrypt",
    "reindex",
    "rewrap",
]

_SUITES_OF_CLASS: Final = """
    SELECT get_byte(sealed, 1) & 127, count(*) FROM vault_record
    WHERE retention_class = %s AND state IN ('pending', 'bound') GROUP BY 1 ORDER BY 1
"""
_SUITE_NUMBERS: Final = {1: KeySuite.SM4_GCM, 2: KeySuite.AES_256_GCM}
_RECORDS_OF: Final = "SELECT count(*) FROM vault_record WHERE element = %s AND state <> 'destroyed'"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReencryptPlan:
    """What re-encrypting a class would do: every record of it gets a new key, whatever its suite was."""

    retention_class: RetentionClass
    suite: KeySuite
    records: dict[str, int]
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReindexPlan:
    """What re-indexing an element would do.

    Attributes:
        generations: the generations of the index key and their states.
        untagged: records that the active generation does not tag; all of them where a new one would be made.
    """

    element: str
    records: int
    generations: dict[int, str]
    untagged: int
    resumed: bool


def rewrap(
    kind: RetentionClass,
    *,
    actor: audit.Actor,
    batch: int = 10_000,
    rows_per_second: int | None = None,
    advance: Advance = lambda _done, _total: None,
) -> RewrapReport:
    """Move the keys of a class under the active version of its domain key; see :mod:`kuimen.gate.keys.rewrap`."""
    return run_rewrap(keys.keyring(), kind, actor=actor, batch=batch, rows_per_second=rows_per_second, advance=advance)


def plan_reencrypt(kind: RetentionClass, *, suite: KeySuite | None = None) -> ReencryptPlan:
    """Count the records that re-encrypting a class would seal anew. Needs no unlocked root."""
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(_SUITES_OF_CLASS, [kind.value])
        counted = {_SUITE_NUMBERS[int(number)].value: int(count) for number, count in cursor.fetchall()}
    running = jobs.running_job(RotationKind.REENCRYPT, kind.value)
    chosen = suite or active_suite(kind) or KeySuite.SM4_GCM
    return ReencryptPlan(retention_class=kind, suite=chosen, records=counted, resumed=running is not None)


def reencrypt(
    kind: RetentionClass,
    *,
    actor: audit.Actor,
    suite: KeySuite | None = None,
    batch: int = jobs.BATCH,
    rows_per_second: int | None = None,
    advance: Advance = lambda _done, _total: None,
) -> RotationReport:
    """Seal every record of a class under new keys, or go on with it.

    New keys are of the suite of the class, which is that of its active domain key. Another suite rotates the domain key
    first, so that whatever is written meanwhile is of the new suite too and the job comes to an end.

    Raises:
        RotationUnderWayError, VaultBusyError, KeyStoreError, KeysLockedError, KeyUsesExhaustedError: as named; start
            again to go on.
    """
    ring = keys.keyring()
    ring.tree.domain_version(kind)
    if suite is not None and active_suite(kind) is not suite:
        ring.tree.rotate_domain(kind, suite=suite, actor=actor)
    settled = active_suite(kind) or KeySuite.SM4_GCM
    job = jobs.running_job(RotationKind.REENCRYPT, kind.value)
    if job is not None and job.suite != settled.value:
        jobs.set_aside(job, actor=actor)
        job = None
    if job is None:
        job = jobs.begin(RotationKind.REENCRYPT, kind.value, actor=actor, suite=settled.value, marks=_marks())
    return jobs.run(
        job, ReEncrypting(ring, job), actor=actor, batch=batch, rows_per_second=rows_per_second, advance=advance
    )


def _marks() -> tuple[int, int]:
    """Return the highest row numbers of the key tables: whatever key comes after them is a new one."""
    with key_store.translated():
        person, table = (
            rows.objects.using(key_store.DATABASE).order_by("-pk").values_list("pk", flat=True).first() or 0
            for rows in (PersonKey, TableKey)
        )
    return person, table


def plan_reindex(element: Element | str) -> ReindexPlan:
    """Count the records that re-indexing an element would tag anew. Needs no unlocked root.

    Raises:
        RotationInputError: the element has no index.
    """
    name = Element(element).value
    if not is_indexed(name):
        raise RotationInputError(f"element: {name} has no index; name one that is searchable")
    with store.translated(), connection.cursor() as cursor:
        cursor.execute(_RECORDS_OF, [name])
        records = int(cursor.fetchone()[0])
    known = index_generations(name)
    active = next((one for one in known if one.state is KeyState.ACTIVE), None)
    under_way = active is not None and any(one.state is KeyState.RETIRED for one in known)
    return ReindexPlan(
        element=name,
        records=records,
        generations={one.generation: one.state.value for one in known},
        untagged=untagged(name, active.generation) if under_way and active is not None else records,
        resumed=under_way,
    )


def reindex(
    element: Element | str,
    *,
    actor: audit.Actor,
    batch: int = jobs.BATCH,
    rows_per_second: int | None = None,
    advance: Advance = lambda _done, _total: None,
) -> RotationReport:
    """Tag every record of an element under the next generation of its index key, or go on with it.

    Searches look in both generations and writers write both, until two persons cut over.

    Raises:
        RotationInputError: the element has no index.
        RotationUnderWayError, VaultBusyError, KeyStoreError, KeysLockedError: as named; start again to go on.
    """
    ring = keys.keyring()
    name = Element(element).value
    generation = next_generation(ring, name, actor=actor)
    job = jobs.running_job(RotationKind.REINDEX, name)
    if job is None:
        job = jobs.begin(RotationKind.REINDEX, name, actor=actor, generation=generation)
    return jobs.run(
        job, ReIndexing(ring, job), actor=actor, batch=batch, rows_per_second=rows_per_second, advance=advance
    )


def merge_persons(
    merged: UUID,
    survivor: UUID,
    *,
    actor: audit.Actor,
    batch: int = jobs.BATCH,
    rows_per_second: int | None = None,
    advance: Advance = lambda _done, _total: None,
) -> RotationReport:
    """Seal everything of one person for another, who turned out to be the same; or go on with it.

    Tags stay: they are of the value. The merged person's keys stay too, and open nothing any more.

    Raises:
        RotationInputError: both are the same reference.
        KeyDestroyedError: the survivor's key was suspended or destroyed.
        RotationUnderWayError, VaultBusyError, KeyStoreError, KeysLockedError: as named; start again to go on.
    """
    if merged == survivor:
        raise RotationInputError("merged, survivor: two references are needed")
    ring = keys.keyring()
    subject = f"{merged}>{survivor}"
    job = jobs.running_job(RotationKind.MERGE, subject) or jobs.begin(RotationKind.MERGE, subject, actor=actor)
    work = Merging(ring, job, merged=merged, survivor=survivor)
    return jobs.run(job, work, actor=actor, batch=batch, rows_per_second=rows_per_second, advance=advance)
