"""Rewrap: move every key of a class under the active version of its domain key. It touches the key database only.

A job works in batches. Each batch is one transaction of the key database: new wrapped keys, every one of them swapped
in only where the old bytes still stand, and the cursor behind them. A process that dies loses the batch it was in and
nothing else; whoever starts the job again goes on at the cursor. While the database writes one batch, a thread beside
reads the next one and wraps it anew; that thread writes nothing. Readers open a row under whichever version it names,
so that no read fails on the way; new keys come under the active version from the rotation on. When the cursor has
passed the last key, those still under an older version are counted; the job is finished when there are none.

Clause: JRT0171-6.2.4-a
"""

from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError, connections, transaction

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import store
from kuimen.gate.keys.arrays import bytea_array, int_array
from kuimen.gate.keys.domain_keys import keys_by_version, keys_under_other_versions
from kuimen.gate.keys.errors import KeyMissingError, RotationConflictError
from kuimen.gate.keys.keyring import Keyring
from kuimen.gate.keys.material import person_head, person_tails, table_binding
from kuimen.gate.keys.models import DomainKey, PersonKey, RewrapJob, TableKey
from kuimen.gate.keys.pacing import Advance, Pace
from kuimen.gate.keys.rules import KeyState, RetentionClass
from kuimen.gate.keys.uses import record_at_once

BATCH: Final = 10_000
_NAMED_IN_ALARM: Final = 20
_SELECT: Final = {
    "person": """
        SELECT id, person_ref::text, generation, domain_version, wrapped FROM keys_personkey
        WHERE retention_class = %s AND id > %s AND domain_version <> %s AND wrapped IS NOT NULL ORDER BY id LIMIT %s
    """,
    "table": """
        SELECT id, scope, generation, domain_version, wrapped FROM keys_tablekey
        WHERE retention_class = %s AND id > %s AND domain_version <> %s AND wrapped IS NOT NULL ORDER BY id LIMIT %s
    """,
}
# The range says no more than the ids do; without it the planner reads the whole table for every batch.
_SWAP: Final = {
    "person": """
        WITH held AS (
            SELECT keys.id, new.wrapped FROM keys_personkey AS keys
            JOIN unnest(%s::bigint[], %s::bytea[], %s::bytea[]) AS new (id, old, wrapped)
                ON keys.id = new.id AND keys.wrapped = new.old
            WHERE keys.id BETWEEN %s AND %s
            ORDER BY keys.id FOR NO KEY UPDATE OF keys
        )
        UPDATE keys_personkey AS keys SET wrapped = held.wrapped, domain_version = %s FROM held WHERE keys.id = held.id
    """,
    "table": """
        WITH held AS (
            SELECT keys.id, new.wrapped FROM keys_tablekey AS keys
            JOIN unnest(%s::bigint[], %s::bytea[], %s::bytea[]) AS new (id, old, wrapped)
                ON keys.id = new.id AND keys.wrapped = new.old
            WHERE keys.id BETWEEN %s AND %s
            ORDER BY keys.id FOR NO KEY UPDATE OF keys
        )
        UPDATE keys_tablekey AS keys SET wrapped = held.wrapped, domain_version = %s FROM held WHERE keys.id = held.id
    """,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RewrapPlan:
    """What a rewrap would do; counted, nothing changed.

    Attributes:
        to_version: the active version of the domain key.
        person_keys: how many keys of persons stand under each version.
        table_keys: the same of tables.
        resumed: whether an unfinished job would go on.
    """

    retention_class: RetentionClass
    to_version: int
    person_keys: Mapping[int, int]
    table_keys: Mapping[int, int]
    resumed: bool

    @property
    def to_do(self) -> int:
        """Keys under another version than the active one."""
        every = [*self.person_keys.items(), *self.table_keys.items()]
        return sum(count for version, count in every if version != self.to_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewrapReport:
    """What a job did; `left` is counted in the key database after the last batch and is the proof.

    Attributes:
        rewrapped: keys moved, all runs of the job together.
        swaps_lost: keys that another process changed between reading and writing; they were taken up again.
        does_not_open: keys that do not open under their domain key; the alarm is recorded, they were left as they are.
        left: keys that still stand under an older version.
        finished: whether there is nothing left.
    """

    job_id: UUID
    retention_class: RetentionClass
    to_version: int
    rewrapped: int
    swaps_lost: int
    does_not_open: int
    passes: int
    left: int
    finished: bool


class _Row(NamedTuple):  # in the order of the SELECTs
    row_id: int
    name: str
    generation: int
    version: int
    wrapped: bytes


class _Batch(NamedTuple):
    last: int
    renewed: list[tuple[_Row, bytes]]
    broken: list[_Row]


def plan_rewrap(kind: RetentionClass) -> RewrapPlan:
    """Count what a rewrap of one class would do. Needs no unlocked root.

    Raises:
        KeyMissingError: the class has no domain key yet.
    """
    with store.translated():
        active = DomainKey.objects.using(store.DATABASE).filter(retention_class=kind.value, state=KeyState.ACTIVE.value)
        version = active.values_list("version", flat=True).first()
        if version is None:
            raise KeyMissingError(f"the class {kind} has no domain key yet; there is nothing to rewrap")
        resumed = RewrapJob.objects.using(store.DATABASE).filter(retention_class=kind.value, running=True).exists()
    return RewrapPlan(
        retention_class=kind,
        to_version=version,
        person_keys=keys_by_version(PersonKey, kind),
        table_keys=keys_by_version(TableKey, kind),
        resumed=resumed,
    )


def run_rewrap(
    ring: Keyring,
    kind: RetentionClass,
    *,
    actor: audit.Actor,
    batch: int = BATCH,
    rows_per_second: int | None = None,
    advance: Advance = lambda _done, _total: None,
) -> RewrapReport:
    """Start a rewrap of one class, or go on with an unfinished one, until nothing is left under an older version.

    Raises:
        KeyMissingError: the class has no domain key yet.
        RotationConflictError: another process works on the same job.
        KeyStoreError: the key database is down or full; the batch was not written, start again to go on.
        KeyUsesExhaustedError: the new domain key has no uses left; rotate it and start again.
    """
    plan = plan_rewrap(kind)
    job = _taken_up(plan, actor)
    pace, total = Pace(rows_per_second), job.rewrapped + plan.to_do
    while True:
        before, whole = job.rewrapped, job.person_cursor == job.table_cursor == 0
        for which in ("person", "table"):
            with closing(_batches(ring, job, kind, which, batch)) as batches:
                for ready in batches:
                    _swap(job, kind, which, ready)
                    advance(job.rewrapped, total)
                    pace.after(len(ready.renewed) + len(ready.broken))
        left = keys_under_other_versions(kind, job.to_version)
        if left == 0 or (whole and job.rewrapped == before):
            return _ended(job, kind, left, actor)
        _begin_pass(job)


def rewrap_jobs(limit: int = 20) -> list[RewrapJob]:
    """Return the latest jobs, newest first."""
    with store.translated():
        return list(RewrapJob.objects.using(store.DATABASE).order_by("-started_at")[:limit])


def _taken_up(plan: RewrapPlan, actor: audit.Actor) -> RewrapJob:
    """Return the running job of the class, or a new one; a domain key rotated once more turns it to the new version."""
    moment = clock.now()
    with store.translated(), transaction.atomic(using=store.DATABASE):
        jobs = RewrapJob.objects.using(store.DATABASE).select_for_update()
        job = jobs.filter(retention_class=plan.retention_class.value, running=True).first()
        if job is None:
            job = RewrapJob(
                job_id=new_ref(),
                retention_class=plan.retention_class.value,
                to_version=plan.to_version,
                started_at=moment,
                updated_at=moment,
            )
            try:
                with transaction.atomic(using=store.DATABASE):
                    job.save(using=store.DATABASE, force_insert=True)
            except IntegrityError:
                raise RotationConflictError("another process has just begun the same rewrap; nothing to do") from None
        elif job.to_version != plan.to_version:
            job.to_version, job.person_cursor, job.table_cursor = plan.to_version, 0, 0
            job.save(using=store.DATABASE)
        record_at_once(
            "keys.rewrap",
            object_type="key",
            object_ref=f"{plan.retention_class.value}/{plan.to_version}",
            facts={"job": str(job.job_id), "to_do": plan.to_do, "resumed": plan.resumed},
            actor=actor,
        )
    return job


def _batches(ring: Keyring, job: RewrapJob, kind: RetentionClass, which: str, batch: int) -> Generator[_Batch]:
    """Yield batches that are ready to be written, the next one being made ready beside the caller."""

    def prepared(after: int) -> _Batch | None:
        rows = _read(job, kind, which, after, batch)
        return _Batch(rows[-1].row_id, *_renewed(ring, job, kind, which, rows)) if rows else None

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="kuimen-rewrap") as beside:
        try:
            coming = beside.submit(prepared, job.person_cursor if which == "person" else job.table_cursor)
            while (ready := coming.result()) is not None:
                coming = beside.submit(prepared, ready.last)
                yield ready
        finally:
            beside.submit(connections.close_all).result()  # those of that thread


def _read(job: RewrapJob, kind: RetentionClass, which: str, after: int, batch: int) -> list[_Row]:
    with store.translated(), connections[store.DATABASE].cursor() as cursor:
        cursor.execute(_SELECT[which], [kind.value, after, job.to_version, batch])
        return list(map(_Row._make, cursor.fetchall()))


def _swap(job: RewrapJob, kind: RetentionClass, which: str, ready: _Batch) -> None:
    """Write a batch with its cursor in one transaction."""
    renewed, broken = ready.renewed, ready.broken
    place = "person_cursor" if which == "person" else "table_cursor"
    with store.translated(), transaction.atomic(using=store.DATABASE):
        swapped = 0
        if not store.hold_active_domain(kind, job.to_version):  # until the commit nobody retires or destroys it
            raise RotationConflictError("the domain key was rotated meanwhile; start the rewrap again to go on")
        if renewed:
            with connections[store.DATABASE].cursor() as cursor:
                cursor.execute(
                    _SWAP[which],
                    [
                        int_array(row.row_id for row, _ in renewed),
                        bytea_array(row.wrapped for row, _ in renewed),
                        bytea_array(wrapped for _, wrapped in renewed),
                        min(row.row_id for row, _ in renewed),
                        max(row.row_id for row, _ in renewed),
                        job.to_version,
                    ],
                )
                swapped = cursor.rowcount
        counted = {
            place: ready.last,
            "rewrapped": job.rewrapped + swapped,
            "swaps_lost": job.swaps_lost + len(renewed) - swapped,
            "does_not_open": job.does_not_open + len(broken),
            "updated_at": clock.now(),
        }
        same = {place: getattr(job, place), "to_version": job.to_version, "passes": job.passes, "running": True}
        changed = RewrapJob.objects.using(store.DATABASE).filter(job_id=job.job_id, **same).update(**counted)
        if changed != 1:
            raise RotationConflictError("another process works on the same rewrap; this one stopped, nothing is lost")
    for name, value in counted.items():
        setattr(job, name, value)
    if broken:
        _alarm(job, kind, broken)


def _renewed(
    ring: Keyring, job: RewrapJob, kind: RetentionClass, which: str, rows: Sequence[_Row]
) -> tuple[list[tuple[_Row, bytes]], list[_Row]]:
    tails = person_tails((row.name, row.generation) for row in rows) if which == "person" else []
    by_version: dict[int, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        by_version[row.version].append(at)
    opened: list[tuple[int, bytes]] = []
    broken: list[_Row] = []
    for version, chosen in by_version.items():
        bindings = _bindings(ring, kind, version, rows, tails, chosen)
        keys = ring.tree.unwrap_under_domain(kind, version, [rows[at].wrapped for at in chosen], bindings)
        opened += [(at, key) for at, key in zip(chosen, keys, strict=True) if key is not None]
        broken += [rows[at] for at, key in zip(chosen, keys, strict=True) if key is None]
    bindings = _bindings(ring, kind, job.to_version, rows, tails, [at for at, _ in opened])
    wrapped = ring.tree.wrap_under_domain(kind, job.to_version, [key for _, key in opened], bindings)
    return [(rows[at], sealed) for (at, _), sealed in zip(opened, wrapped, strict=True)], broken


def _bindings(
    ring: Keyring,
    kind: RetentionClass,
    version: int,
    rows: Sequence[_Row],
    tails: Sequence[bytes],
    chosen: Sequence[int],
) -> list[bytes]:
    if tails:
        head = person_head(ring.institution_id, kind, version)
        return [head + tails[at] for at in chosen]
    return [table_binding(ring.institution_id, kind, version, rows[at].name, rows[at].generation) for at in chosen]


def _begin_pass(job: RewrapJob) -> None:
    """Start again at the first key, for those whose swap was lost."""
    with store.translated():
        changed = (
            RewrapJob.objects.using(store.DATABASE)
            .filter(job_id=job.job_id, passes=job.passes, running=True)
            .update(passes=job.passes + 1, person_cursor=0, table_cursor=0, does_not_open=0)
        )
    if changed != 1:
        raise RotationConflictError("another process works on the same rewrap; this one stopped, nothing is lost")
    job.passes, job.person_cursor, job.table_cursor, job.does_not_open = job.passes + 1, 0, 0, 0


def _ended(job: RewrapJob, kind: RetentionClass, left: int, actor: audit.Actor) -> RewrapReport:
    """Close the job where nothing is left, and record the proof either way."""
    moment = clock.now()
    with store.translated(), transaction.atomic(using=store.DATABASE):
        record_at_once(
            "keys.rewrap_proof",
            object_type="key",
            object_ref=f"{kind.value}/{job.to_version}",
            facts={
                "job": str(job.job_id),
                "rewrapped": job.rewrapped,
                "swaps_lost": job.swaps_lost,
                "does_not_open": job.does_not_open,
                "left": left,
            },
            actor=actor,
        )
        again = {"person_cursor": 0, "table_cursor": 0, "does_not_open": 0}  # once what is broken was mended
        RewrapJob.objects.using(store.DATABASE).filter(job_id=job.job_id).update(
            updated_at=moment, **({"running": False, "finished_at": moment} if left == 0 else again)
        )
    return RewrapReport(
        job_id=job.job_id,
        retention_class=kind,
        to_version=job.to_version,
        rewrapped=job.rewrapped,
        swaps_lost=job.swaps_lost,
        does_not_open=job.does_not_open,
        passes=job.passes,
        left=left,
        finished=left == 0,
    )


def _alarm(job: RewrapJob, kind: RetentionClass, broken: Sequence[_Row]) -> None:
    record_at_once(
        "keys.tamper_alarm",
        object_type="key",
        object_ref=f"{kind.value}/{job.to_version}",
        facts={"keys": len(broken), "first": [row.name for row in broken[:_NAMED_IN_ALARM]]},
    )
