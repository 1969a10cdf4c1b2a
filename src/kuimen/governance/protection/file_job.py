"""Carry out the plan of a folder: every file is rewritten without its personal data, or left as it was."""

from collections.abc import Callable
from pathlib import Path

from kuimen.gate.audit import services as audit
from kuimen.governance.inventory import services as inventory
from kuimen.governance.inventory.models import DataSource
from kuimen.governance.inventory.own_rules import own_rules
from kuimen.governance.protection import jobs
from kuimen.governance.protection.files import clear_leftovers, rewrite_file
from kuimen.governance.protection.models import Job
from kuimen.governance.protection.originals import Original
from kuimen.governance.protection.plan import ProtectionPlan
from kuimen.governance.protection.reports import ProtectReport
from kuimen.governance.protection.rules import JobEvent, StepEvent, StepState
from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.overlays import tables_of

Progress = Callable[[int, int, str], None]


def protect_files(
    job: Job, plan: ProtectionPlan, row: DataSource, *, actor: audit.Actor, progress: Progress | None
) -> ProtectReport:
    """Run or resume a job on a folder; a file that cannot be rewritten is named and stays as it is."""
    jobs.move_job(job, JobEvent.START, actor=actor, facts={"files": len(plan.files), "run": job.runs + 1})
    root = Path(row.location["path"])
    blocked: dict[str, str] = {}
    files = values = 0
    for position, one in enumerate(plan.files):
        if progress is not None:
            progress(position, len(plan.files), one.name)
        step = jobs.step_of(job, one)
        if step.state == StepState.DONE:
            continue
        path = root if root.is_file() else root / one.name
        clear_leftovers(path)
        try:
            counts = rewrite_file(path, one, tables=tables_of(row.overlay or None), rules=own_rules())
        except (OSError, RelationUnreadableError) as error:
            reason = str(error) if isinstance(error, RelationUnreadableError) else f"file: {error.strerror}"
            blocked[one.name] = reason
            jobs.move_step(step, StepEvent.BLOCK, reason=reason)
            continue
        plan.originals.keep_destroyed(Original(element=element, text=text) for element, text in counts.removed)
        jobs.finish_file(step, one, source_id=job.source_id, destroyed=counts.destroyed, actor=actor)
        files += 1
        values += counts.total
    if progress is not None:
        progress(len(plan.files), len(plan.files), "")
    inventory.mark_protected(plan.source_id)
    event = JobEvent.STOP if blocked else JobEvent.FINISH
    jobs.move_job(job, event, actor=actor, facts={"files": files, "values_destroyed": values, "blocked": len(blocked)})
    return ProtectReport(
        job_id=job.job_id,
        label=plan.label,
        files=files,
        columns_destroyed=sum(len(one.columns) for one in plan.files),
        values_destroyed=values,
        blocked=tuple(sorted(blocked.items())),
    )
