"""Progress of jobs: every state change is one transaction of Kuimen's own database, checked against the table."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory import services as inventory
from kuimen.governance.inventory.rules import AssetState
from kuimen.governance.protection.errors import ProtectionTransitionError, UnknownJobError
from kuimen.governance.protection.models import ColumnStep, Job, Step
from kuimen.governance.protection.plan import FilePlan, ProtectionPlan, TablePlan, dump_plan
from kuimen.governance.protection.rules import (
    JOB_TRANSITIONS,
    STEP_TRANSITIONS,
    Action,
    JobEvent,
    JobState,
    StepEvent,
    StepState,
)

_STATES = {
    Action.SEAL: AssetState.SEALED,
    Action.FOLLOW: AssetState.SEALED,
    Action.DESTROY: AssetState.DESTROYED,
    Action.DERIVED: AssetState.DESTROYED,
    Action.DISSOCIATE: AssetState.DISSOCIATED,
}


def open_job(plan: ProtectionPlan, *, actor: audit.Actor) -> Job:
    """Store a new plan with one step per table and file."""
    with transaction.atomic():
        job = Job.objects.create(
            job_id=plan.job_id or new_ref(),
            source_id=plan.source_id,
            plan=dump_plan(plan),
            state=JobState.PLANNED.value,
            planned_by=actor.ref,
            planned_at=clock.now(),
        )
        moment = clock.now()
        Step.objects.bulk_create(
            [
                Step(
                    job=job,
                    schema_name=table.schema,
                    table_name=table.name,
                    state=StepState.PLANNED.value,
                    changed_at=moment,
                )
                for table in plan.tables
            ]
            + [
                Step(job=job, file_name=file.name, state=StepState.PLANNED.value, changed_at=moment)
                for file in plan.files
            ]
        )
        audit.record(
            "protection.plan",
            actor=actor,
            object_type="data_source",
            object_ref=str(plan.source_id),
            facts={
                "job": str(job.job_id),
                "tables": len(plan.tables),
                "files": len(plan.files),
                "columns_to_seal": plan.columns_to_seal,
                "columns_to_destroy": plan.columns_to_destroy,
                "blockers": len(plan.blockers),
            },
        )
    return job


def running_job(source_id: UUID) -> Job | None:
    """Return the job of a source that a crash left open."""
    return Job.objects.filter(source_id=source_id, state=JobState.RUNNING.value).first()


def job_of(job_id: UUID | None) -> Job:
    """Return a job.

    Raises:
        UnknownJobError: no such job.
    """
    job = Job.objects.filter(job_id=job_id).first() if job_id else None
    if job is None:
        raise UnknownJobError("job: no such protection job; plan first")
    return job


def move_job(job: Job, event: JobEvent, *, actor: audit.Actor, facts: Mapping[str, audit.FactValue]) -> None:
    """Change a job's state with its audit entry.

    Raises:
        ProtectionTransitionError: the table does not allow it.
    """
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job.pk)
        state = JOB_TRANSITIONS.get((JobState(row.state), event))
        if state is None:
            raise ProtectionTransitionError(f"job: {event} is not possible in state {row.state}; plan again")
        row.state = state.value
        if event is JobEvent.START:
            row.started_at = row.started_at or clock.now()
            row.runs += 1
        else:
            row.finished_at = clock.now()
        row.save()
        audit.record(
            f"protection.{event.value}",
            actor=actor,
            object_type="protection_job",
            object_ref=str(job.job_id),
            facts={"source": str(job.source_id), **facts},
        )
    job.refresh_from_db()


def step_of(job: Job, plan: TablePlan | FilePlan) -> Step:
    """Return the stored step of a table or file."""
    if isinstance(plan, TablePlan):
        return job.steps.get(schema_name=plan.schema, table_name=plan.name, file_name="")
    return job.steps.get(file_name=plan.name)


def move_step(step: Step, event: StepEvent, *, reason: str = "") -> None:
    """Change a step's state.

    Raises:
        ProtectionTransitionError: the table does not allow it.
    """
    state = STEP_TRANSITIONS.get((StepState(step.state), event))
    if state is None:
        raise ProtectionTransitionError(f"step: {event} is not possible in state {step.state}")
    step.state, step.reason, step.changed_at = state.value, reason, clock.now()
    step.save(update_fields=["state", "reason", "changed_at"])


def note_destruction(step: Step, plan: TablePlan, destroyed: Mapping[str, int]) -> None:
    """Write down how many values are about to be destroyed, before they are: a crash must not lose the count."""
    for one in plan.acting(Action.DESTROY):
        if one.name in destroyed:
            ColumnStep.objects.update_or_create(
                step=step,
                column_name=one.name,
                defaults={
                    "element": one.element or "",
                    "action": one.action.value,
                    "values_destroyed": destroyed[one.name],
                },
            )


def finish_table(
    step: Step, plan: TablePlan, *, source_id: UUID, sealed: Mapping[str, int], purged: int, actor: audit.Actor
) -> tuple[int, int]:
    """Note a table as done: counts, asset states, audit, in one transaction. Returns (values sealed, destroyed)."""
    with transaction.atomic():
        for one in plan.referenced:
            ColumnStep.objects.update_or_create(
                step=step,
                column_name=one.name,
                defaults={
                    "element": one.element or "",
                    "action": one.action.value,
                    "reference_column": one.reference,
                    "values_sealed": sealed.get(one.name, 0) if one.action is Action.SEAL else 0,
                },
            )
        left = any(one.action is Action.BLOCKED for one in plan.columns)
        for one in plan.columns:
            state = _STATES.get(one.action)
            if state is None or (state is AssetState.DISSOCIATED and (left or not plan.customer_ref)):
                continue
            inventory.mark_state(
                source_id,
                state=state,
                actor=actor,
                schema=plan.schema,
                table=plan.name,
                column=one.name,
                reference_column=one.reference,
            )
        destroyed = sum(column.values_destroyed for column in step.columns.all())
        total = sum(count for name, count in sealed.items() if name in {one.name for one in plan.sealed})
        audit.record(
            "protection.table",
            actor=actor,
            object_type="source_table",
            object_ref=f"{source_id}/{plan.place}"[:500],
            facts={
                "values_sealed": total,
                "values_destroyed": destroyed,
                "values_cut_from_text": purged,
                "columns_sealed": len(plan.sealed),
                "columns_destroyed": [one.name for one in plan.acting(Action.DESTROY)],
            },
        )
        move_step(step, StepEvent.BIND)
    return total, destroyed


def finish_file(
    step: Step, plan: FilePlan, *, source_id: UUID, destroyed: Mapping[str, int], actor: audit.Actor
) -> None:
    """Note a file as rewritten."""
    with transaction.atomic():
        for name, count in destroyed.items():
            ColumnStep.objects.update_or_create(
                step=step,
                column_name=name,
                defaults={"action": Action.DESTROY.value, "values_destroyed": count},
            )
        targets = [one.name for one in plan.columns if one.action is Action.DESTROY] or [""]
        for name in targets:
            inventory.mark_state(source_id, state=AssetState.DESTROYED, actor=actor, file=plan.name, column=name)
        audit.record(
            "protection.file",
            actor=actor,
            object_type="source_file",
            object_ref=f"{source_id}/{plan.name}"[:500],
            facts={"values_destroyed": sum(destroyed.values()), "kind": plan.kind},
        )
        move_step(step, StepEvent.CUT_OVER)
        move_step(step, StepEvent.BIND)
