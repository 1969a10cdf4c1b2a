"""Carry out the plan of a database: prepare, seal, verify, cut over, bind; every stage can be entered again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from psycopg import sql

from kuimen.gate.audit import services as audit
from kuimen.gate.keys.rules import RetentionClass
from kuimen.gate.keys.services import keyring
from kuimen.gate.vault.services import bind_many
from kuimen.governance.inventory import services as inventory
from kuimen.governance.inventory.models import DataSource
from kuimen.governance.protection import jobs
from kuimen.governance.protection.catalogue import columns_of
from kuimen.governance.protection.cutover import CutOverCounts, cut_over, follow_parents
from kuimen.governance.protection.errors import (
    CutOverRefusedError,
    SourceChangedError,
    StragglersRemainError,
    VerificationError,
)
from kuimen.governance.protection.models import Job
from kuimen.governance.protection.originals import Original, Originals
from kuimen.governance.protection.plan import ProtectionPlan, TablePlan
from kuimen.governance.protection.preparing import block_ranges, fill_customer_refs, leaf_tables, prepare_table
from kuimen.governance.protection.purging import Purger
from kuimen.governance.protection.reports import ProtectReport
from kuimen.governance.protection.rules import Action, JobEvent, StepEvent, StepState
from kuimen.governance.protection.sealing import SealContext, SealCounts, seal_pass
from kuimen.governance.protection.session import SourceSession, column, joined, table_name, translated
from kuimen.governance.protection.verifying import verify_table
from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.overlays import tables_of

Progress = Callable[[int, int, str], None]

_COORDINATES = "protection.coordinates"
_PASSES = 3
_BLOCKS_PER_BIND = 1_000
_BLOCKING = (
    CutOverRefusedError,
    SourceChangedError,
    StragglersRemainError,
    VerificationError,
    RelationUnreadableError,
)


@dataclass(slots=True, kw_only=True)
class _Totals:
    sealed: int = 0
    verified: int = 0
    destroyed: int = 0
    purged: int = 0
    conflicts: int = 0
    tables: int = 0
    columns_sealed: int = 0
    columns_destroyed: int = 0
    blocked: dict[str, str] = field(default_factory=dict)
    views: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gone:
    """What left the source: how many values were cut out of free text, by table, and every original."""

    originals: Originals
    purged: dict[str, int] = field(default_factory=dict)

    def keep(self, table: TablePlan, counts: SealCounts) -> None:
        """Add what a pass cut out of free text."""
        self.purged[table.place] = self.purged.get(table.place, 0) + len(counts.purged)
        self.originals.keep_destroyed(Original(element=element, text=text) for element, text in counts.purged)


class _Meter:
    """Turns values done into progress calls."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done, self.label = progress, max(total, 1), 0, ""

    def advance(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(min(self._done, self._total), self._total, self.label)


def protect_tables(
    job: Job, plan: ProtectionPlan, row: DataSource, *, actor: audit.Actor, progress: Progress | None
) -> ProtectReport:
    """Run or resume a job on a database; see `services.protect` for its errors."""
    jobs.move_job(job, JobEvent.START, actor=actor, facts={"tables": len(plan.tables), "run": job.runs + 1})
    totals = _Totals()
    meter = _Meter(progress, 2 * sum(max(table.rows, 0) * len(table.sealed) for table in plan.tables))
    key = keyring().table_key(_COORDINATES, RetentionClass.IDENTITY_TRANSACTION).key
    context = SealContext(
        source_id=plan.source_id,
        coordinate_key=key,
        purger=Purger(tables_of(row.overlay or None)),
        actor=actor,
        advance=meter.advance,
    )
    session = SourceSession(inventory.connection_of(row))
    try:
        with translated(), session.exclusively():
            _run(session, job, plan, context, totals=totals, meter=meter)
    finally:
        session.close()
    totals.blocked |= {finding.place: finding.message_en for finding in plan.blockers}
    event = JobEvent.STOP if totals.blocked else JobEvent.FINISH
    inventory.mark_protected(plan.source_id)
    facts: dict[str, audit.FactValue] = {
        "values_sealed": totals.sealed,
        "values_destroyed": totals.destroyed,
        "values_cut_from_text": totals.purged,
        "blocked": sorted(totals.blocked)[:100],
    }
    jobs.move_job(job, event, actor=actor, facts=facts)
    return ProtectReport(
        job_id=job.job_id,
        label=plan.label,
        tables=totals.tables,
        columns_sealed=totals.columns_sealed,
        columns_destroyed=totals.columns_destroyed,
        values_sealed=totals.sealed,
        values_verified=totals.verified,
        values_destroyed=totals.destroyed,
        values_cut_from_text=totals.purged,
        conflicts=totals.conflicts,
        blocked=tuple(sorted(totals.blocked.items())),
        rebuilt_views=tuple(totals.views),
        dropped_constraints=tuple(totals.constraints),
        denied_settings=tuple(session.denied),
    )


def _run(
    session: SourceSession,
    job: Job,
    plan: ProtectionPlan,
    context: SealContext,
    *,
    totals: _Totals,
    meter: _Meter,
) -> None:
    working = [table for table in plan.tables if jobs.step_of(job, table).state != StepState.DONE]
    open_tables = [table for table in working if not _cut_over_already(session, table)]
    gone = _Gone(originals=plan.originals)
    for table in open_tables:
        meter.label = f"prepare {table.place}"
        meter.advance(0)
        _guarded(job, [table], totals, partial(_prepare, session, job, table))
    for table in open_tables:
        if table.place in totals.blocked:
            continue
        meter.label = f"seal {table.place}"
        _guarded(job, [table], totals, partial(_seal, session, job, table, context, totals, gone))
    for table in open_tables:
        if table.place in totals.blocked:
            continue
        meter.label = f"verify {table.place}"
        _guarded(job, [table], totals, partial(_verify, session, job, table, context, totals, gone))
    for group in _groups(working, totals):
        meter.label = f"cut over {', '.join(table.place for table in group)}"
        meter.advance(0)
        _guarded(job, group, totals, partial(_cut_over, session, job, group, context, totals, gone))
    for table in working:
        if table.place not in totals.blocked:
            meter.label = f"bind {table.place}"
            _finish(session, job, table, context, totals, gone.purged.get(table.place, 0))


def _guarded(job: Job, tables: Sequence[TablePlan], totals: _Totals, stage: Callable[[], None]) -> None:
    """Run a stage; an error of one table blocks that table (or its group) and leaves the others alone."""
    try:
        stage()
    except _BLOCKING as error:
        for table in tables:
            totals.blocked[table.place] = str(error)
            jobs.move_step(jobs.step_of(job, table), StepEvent.BLOCK, reason=str(error))


def _cut_over_already(session: SourceSession, table: TablePlan) -> bool:
    live = columns_of(session.connection, table.schema, table.name)
    return bool(table.removed) and bool(live) and not any(one.name in live for one in table.removed)


def _prepare(session: SourceSession, job: Job, table: TablePlan) -> None:
    prepare_table(session, table)
    fill_customer_refs(session.connection, table)
    jobs.move_step(jobs.step_of(job, table), StepEvent.PREPARE)


def _seal(
    session: SourceSession, job: Job, table: TablePlan, context: SealContext, totals: _Totals, gone: _Gone
) -> None:
    counts = SealCounts()
    for _ in range(_PASSES):
        once = seal_pass(session, table, context)
        counts.add(once)
        if not once.conflicts:
            break
    with session.transaction() as connection:
        follow_parents(connection, [table])
    totals.conflicts += counts.conflicts
    gone.keep(table, counts)
    jobs.move_step(jobs.step_of(job, table), StepEvent.SEAL)


def _verify(
    session: SourceSession, job: Job, table: TablePlan, context: SealContext, totals: _Totals, gone: _Gone
) -> None:
    counts = verify_table(session, table, context)
    gone.originals.keep_verified(counts.verified)
    totals.verified += counts.checked
    if counts.forgotten:
        gone.keep(table, seal_pass(session, table, context))
    jobs.move_step(jobs.step_of(job, table), StepEvent.VERIFY)


def _groups(tables: Sequence[TablePlan], totals: _Totals) -> list[list[TablePlan]]:
    found: dict[int, list[TablePlan]] = {}
    for table in tables:
        found.setdefault(table.group, []).append(table)
    groups = []
    for group in found.values():
        stuck = [table.place for table in group if table.place in totals.blocked]
        for table in group:
            if stuck and table.place not in totals.blocked:
                totals.blocked[table.place] = f"joined by a foreign key to {stuck[0]}, which is blocked"
        if not stuck:
            groups.append(group)
    return groups


def _cut_over(
    session: SourceSession,
    job: Job,
    group: Sequence[TablePlan],
    context: SealContext,
    totals: _Totals,
    gone: _Gone,
) -> None:
    def note(counts: CutOverCounts) -> None:
        for table in group:
            emptied = {
                name: count
                for (schema, place, name), count in counts.destroyed.items()
                if (schema, place) == (table.schema, table.name)
            }
            jobs.note_destruction(jobs.step_of(job, table), table, emptied)

    counts = cut_over(session, group, context, before_commit=note)
    for table in group:
        jobs.move_step(jobs.step_of(job, table), StepEvent.CUT_OVER)
        if (late := counts.seals.get((table.schema, table.name))) is not None:
            gone.keep(table, late)
    totals.views += counts.rebuilt_views
    totals.constraints += counts.dropped_constraints
    gone.originals.keep_destroyed(
        Original(element=element, text=text, stored_as_text=as_text) for element, text, as_text in counts.needles
    )


def _finish(
    session: SourceSession, job: Job, table: TablePlan, context: SealContext, totals: _Totals, purged: int
) -> None:
    """Bind what the table refers to, and write down what was done; also after a crash between both databases."""
    step = jobs.step_of(job, table)
    if step.state != StepState.CUT_OVER:
        jobs.move_step(step, StepEvent.CUT_OVER)
    counts = _bind(session, table, context)
    sealed, gone = jobs.finish_table(
        step, table, source_id=job.source_id, sealed=counts, purged=purged, actor=context.actor
    )
    totals.tables += 1
    totals.sealed += sealed
    totals.destroyed += gone
    totals.purged += purged
    totals.columns_sealed += len(table.referenced)
    totals.columns_destroyed += len(table.acting(Action.DESTROY))


def _bind(session: SourceSession, table: TablePlan, context: SealContext) -> dict[str, int]:
    counts = {one.name: 0 for one in table.sealed}
    if not table.sealed:
        return counts
    for schema, leaf in leaf_tables(session.connection, table):
        query = sql.SQL("SELECT {} FROM ONLY {} AS t WHERE t.ctid >= %s::tid AND t.ctid < %s::tid").format(
            joined([column(one.reference) for one in table.sealed], ", "), table_name(schema, leaf)
        )
        for bounds in block_ranges(session.connection, schema, leaf, _BLOCKS_PER_BIND):
            with session.transaction() as connection:
                rows = connection.execute(query, bounds).fetchall()
            for position, one in enumerate(table.sealed):
                counts[one.name] += sum(row[position] is not None for row in rows)
            bind_many({ref for row in rows for ref in row if ref is not None}, actor=context.actor)
            context.advance(0)
    return counts
