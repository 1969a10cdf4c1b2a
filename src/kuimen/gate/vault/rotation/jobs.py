"""The frame of every rotation job: take up, batch by batch, pass by pass, until nothing is left; then the proof."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import UUID

from django.db import IntegrityError, transaction

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit import services as audit
from kuimen.gate.keys.pacing import Advance, Pace
from kuimen.gate.vault import store
from kuimen.gate.vault.errors import RotationUnderWayError
from kuimen.gate.vault.models import RotationJob
from kuimen.gate.vault.rules import RotationKind
from kuimen.gate.vault.store import StoredRecord

BATCH: Final = 2_000
BEGINNING: Final = UUID(int=0)
_NAMED_IN_ALARM: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A batch made ready outside of the transaction.

    Attributes:
        attempted: how many rows `write` will try to change.
        broken: records that do not open where they stand.
        altered: records whose row does not fit its seal, as `write` finds them; they were left as they are.
    """

    attempted: int
    broken: Sequence[UUID] = field(default_factory=list)
    altered: list[UUID] = field(default_factory=list)


class Work(Protocol):
    """What one kind of job does with its rows."""

    def read(self, after: UUID, limit: int) -> Sequence[StoredRecord]:
        """Return the next rows behind a record id, in the order of ids."""
        ...

    def prepare(self, rows: Sequence[StoredRecord]) -> Prepared:
        """Open, seal, tag; nothing is written yet but missing keys."""
        ...

    def write(self, prepared: Prepared) -> int:
        """Change the rows whose old bytes still stand, in the transaction that is open; return how many."""
        ...

    def left(self) -> int:
        """Count the rows that are not yet as they shall be."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationReport:
    """What a job did; `left` was counted in the database after the last batch and is the proof.

    Attributes:
        subject: the retention class, element or persons it was about.
        changed: rows changed, all runs of the job together.
        swaps_lost: rows that somebody else changed between reading and writing; they were taken up again.
        does_not_open: records that do not open where they stand, or whose row does not fit its seal; the alarm is
            recorded, they were left as they are.
        left: rows that are not as they shall be.
        finished: whether there are none.
    """

    job_id: UUID
    kind: RotationKind
    subject: str
    changed: int
    swaps_lost: int
    does_not_open: int
    passes: int
    left: int
    finished: bool


def running_job(kind: RotationKind, subject: str) -> RotationJob | None:
    """Return the unfinished job of a subject."""
    with store.translated():
        return RotationJob.objects.filter(kind=kind.value, subject=subject, running=True).first()


def latest_jobs(limit: int = 20) -> list[RotationJob]:
    """Return the latest jobs, newest first."""
    with store.translated():
        return list(RotationJob.objects.order_by("-started_at")[:limit])


def begin(
    kind: RotationKind,
    subject: str,
    *,
    actor: audit.Actor,
    suite: str = "",
    marks: tuple[int, int] = (0, 0),
    generation: int = 0,
) -> RotationJob:
    """Write down a new job and record it.

    Raises:
        RotationUnderWayError: another process has just begun the same.
    """
    moment = clock.now()
    job = RotationJob(
        job_id=new_ref(),
        kind=kind.value,
        subject=subject,
        suite=suite,
        person_mark=marks[0],
        table_mark=marks[1],
        generation=generation,
        cursor=BEGINNING,
        started_at=moment,
        updated_at=moment,
    )
    try:
        with transaction.atomic():
            job.save(force_insert=True)
            audit.record(
                f"vault.{kind.value}",
                actor=actor,
                object_type="vault",
                object_ref=subject,
                facts={"job": str(job.job_id), "suite": suite, "generation": generation},
            )
    except IntegrityError:
        raise RotationUnderWayError("another process has just begun the same rotation; nothing to do") from None
    return job


def set_aside(job: RotationJob, *, actor: audit.Actor) -> None:
    """Close a job that another one replaces."""
    with transaction.atomic():
        _advance_job(job, {"running": False, "finished_at": clock.now()})
        audit.record(
            f"vault.{job.kind}_set_aside",
            actor=actor,
            object_type="vault",
            object_ref=job.subject,
            facts={"job": str(job.job_id), "changed": job.changed},
        )


def run(
    job: RotationJob,
    work: Work,
    *,
    actor: audit.Actor,
    batch: int = BATCH,
    rows_per_second: int | None = None,
    advance: Advance = lambda _done, _total: None,
) -> RotationReport:
    """Work until nothing is left, or until a whole pass changed nothing.

    Raises:
        RotationUnderWayError: another process works on the same job.
        VaultBusyError, KeyStoreError: a database is down or full; the batch was not written, start again to go on.
        KeyUsesExhaustedError, KeysLockedError: as named; nothing of the batch was written.
    """
    pace = Pace(rows_per_second)
    total = job.changed + work.left()
    while True:
        before, whole = job.changed, job.cursor == BEGINNING
        while rows := work.read(job.cursor, batch):
            _do_batch(job, work, rows)
            advance(job.changed, total)
            pace.after(len(rows))
        left = work.left()
        if left == 0 or (whole and job.changed == before):
            return _ended(job, left, actor)
        _advance_job(job, {"cursor": BEGINNING, "passes": job.passes + 1, "does_not_open": 0})


def _do_batch(job: RotationJob, work: Work, rows: Sequence[StoredRecord]) -> None:
    prepared = work.prepare(rows)
    with transaction.atomic(), store.translated():
        changed = work.write(prepared) if prepared.attempted else 0
        _advance_job(
            job,
            {
                "cursor": rows[-1].record_id,
                "changed": job.changed + changed,
                "swaps_lost": job.swaps_lost + prepared.attempted - len(prepared.altered) - changed,
                "does_not_open": job.does_not_open + len(prepared.broken) + len(prepared.altered),
                "updated_at": clock.now(),
            },
        )
    if refused := [*prepared.broken, *prepared.altered]:
        audit.record_refusal(
            "vault.tamper_alarm",
            actor=audit.SYSTEM,
            object_type="vault",
            object_ref=str(refused[0]),
            outcome=audit.Outcome.FAILED,
            facts={
                "records": len(refused),
                "rows_altered": len(prepared.altered),
                "first": [str(one) for one in refused[:_NAMED_IN_ALARM]],
                "job": str(job.job_id),
            },
        )


def _advance_job(job: RotationJob, values: dict[str, object]) -> None:
    """Move the job on where it stands as this process knows it, so that two never work on one.

    The object is changed only with the row: a batch whose commit fails ends the run.
    """
    with store.translated():
        standing = RotationJob.objects.filter(
            job_id=job.job_id, cursor=job.cursor, passes=job.passes, changed=job.changed, running=True
        )
        if standing.update(**values) != 1:
            raise RotationUnderWayError("another process works on the same rotation; this one stopped, nothing is lost")
    for name, value in values.items():
        setattr(job, name, value)


def _ended(job: RotationJob, left: int, actor: audit.Actor) -> RotationReport:
    report = RotationReport(
        job_id=job.job_id,
        kind=RotationKind(job.kind),
        subject=job.subject,
        changed=job.changed,
        swaps_lost=job.swaps_lost,
        does_not_open=job.does_not_open,
        passes=job.passes,
        left=left,
        finished=left == 0,
    )
    moment = clock.now()
    again = {"cursor": BEGINNING, "does_not_open": 0}  # once what hinders was mended
    with transaction.atomic():
        _advance_job(job, {"running": False, "finished_at": moment} if left == 0 else again)
        audit.record(
            f"vault.{job.kind}_proof",
            actor=actor,
            object_type="vault",
            object_ref=job.subject,
            facts={
                "job": str(job.job_id),
                "changed": report.changed,
                "swaps_lost": report.swaps_lost,
                "does_not_open": report.does_not_open,
                "left": left,
            },
        )
    return report
