"""Use cases of a changeover: plan, start, backfill, verify, cut over, scrub, abandon.

Start and scrub are acts of two persons: one asks, another approves, the first carries it out. Every step can be run
again; a killed one goes on where it stopped.

Clause: CQJR-5.3-d, CQJR-5.4-g
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import DatabaseError, IntegrityError, transaction

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.access.rules import Action, Resource, Subject
from kuimen.gate.access.services import actor_of, require
from kuimen.gate.approvals import services as approvals
from kuimen.gate.audit import services as audit
from kuimen.governance.changeover import proving, source, triggers
from kuimen.governance.changeover import verifying as checks
from kuimen.governance.changeover.errors import (
    ChangeoverOpenError,
    ChangeoverStoreError,
    ChangeoverTransitionError,
    TableChoiceError,
    UnequalValuesError,
)
from kuimen.governance.changeover.following import Advance, FollowCounts, Worker, follow, pending_rows
from kuimen.governance.changeover.jobs import (
    KIND,
    ChangeoverView,
    content_of,
    in_state,
    move,
    next_state,
    note,
    redeemed,
    refuse_blocked,
    row_of,
    view_of,
)
from kuimen.governance.changeover.keys import application_keys, claim, digest_key
from kuimen.governance.changeover.models import Changeover
from kuimen.governance.changeover.plan import TableChange, dump_change, load_change
from kuimen.governance.changeover.planning import chosen_columns, look_at
from kuimen.governance.changeover.rules import SEALING, ChangeoverEvent, ChangeoverState
from kuimen.governance.inventory import services as inventory
from kuimen.governance.inventory.rules import SourceKind
from kuimen.governance.protection.session import SourceSession, translated

START: Final = "changeover.start"
SCRUB: Final = "changeover.scrub"


def plan(
    location: str,
    *,
    table: str,
    columns: Sequence[str],
    application: str,
    actor: audit.Actor,
    credentials_file: Path | None = None,
) -> ChangeoverView:
    """Look at a table and store what would happen; nothing of the source is changed.

    Args:
        location: PostgreSQL address.
        table: `SCHEMA.NAME`; the schema may be left out for `public`.
        columns: `NAME=ELEMENT` words.
        application: name of the application whose keys seal the columns.
        actor: who plans.
        credentials_file: user and password of the database.

    Raises:
        TableChoiceError, ColumnChoiceError: there is no such table or column.
        ChangeoverOpenError: the table is on its way already.
        SourceLocationError, SourceUnavailableError, KeysLockedError: as named.
    """
    chosen = chosen_columns(columns)
    schema, _, name = table.rpartition(".")
    row = inventory.register_source(location, actor=actor, credentials_file=credentials_file)
    if row.kind != SourceKind.POSTGRESQL.value or not application.strip():
        raise TableChoiceError("source, application: name a PostgreSQL database and the application that uses it")
    with _session(row.source_id) as session, translated():
        made = look_at(
            session.connection,
            schema=schema or "public",
            name=name,
            columns=chosen,
            source_id=row.source_id,
            label=row.label,
            application=application.strip(),
        )
    return view_of(_keep(made, actor))


def _keep(made: TableChange, actor: audit.Actor) -> Changeover:
    """Store a plan in the place of one that was never started."""
    place = {"source_id": made.source_id, "schema_name": made.schema, "table_name": made.name}
    try:
        with transaction.atomic():
            Changeover.objects.filter(**place, state=ChangeoverState.PLANNED.value).update(
                state=ChangeoverState.ABANDONED.value, changed_at=clock.now()
            )
            stored = Changeover.objects.create(
                **place,
                changeover_id=new_ref(),
                plan=dump_change(made),
                state=ChangeoverState.PLANNED.value,
                planned_by=actor.ref,
                planned_at=clock.now(),
                changed_at=clock.now(),
            )
            note(stored, "changeover.plan", actor, {"rows": made.rows, "blockers": len(made.blockers)})
    except IntegrityError:
        raise ChangeoverOpenError("table: it changes over already; see its status") from None
    return stored


def request(changeover_id: UUID, act: str, *, maker: Subject, reason: str) -> approvals.Ticket:
    """Ask another person to approve the start or the scrub of exactly this plan.

    Args:
        changeover_id: which.
        act: ``changeover.start`` or ``changeover.scrub``.
        maker: who will do it.
        reason: why, in words without personal numbers.

    Raises:
        NotPermittedError, TicketInputError, UnknownChangeoverError: as named.
        ChangeoverTransitionError, ChangeoverBlockedError: it could not be done now; no ticket is made.
    """
    require(maker, Action.PROTECTION_RUN, Resource(kind=KIND, ref=str(changeover_id)))
    row = row_of(changeover_id)
    next_state(row, ChangeoverEvent.START if act == START else ChangeoverEvent.SCRUB)
    refuse_blocked(load_change(row.plan))
    return approvals.request(
        act, content_of(row), maker=maker, reason=reason, object_type=KIND, object_ref=str(changeover_id)
    )


def start(changeover_id: UUID, *, ticket_id: UUID | None, actor: Subject) -> ChangeoverView:
    """Add sealed columns, trigger and the index of what is to be sealed; from now on nothing is missed.

    Raises:
        TicketNotFoundError, TicketMismatchError, TicketTransitionError: not approved so; nothing was changed.
        ChangeoverTransitionError, ChangeoverBlockedError, TableBusyError, SourceLostError: as named; run it again.
    """
    with _stored():
        row = redeemed(changeover_id, ChangeoverEvent.START, ChangeoverState.FOLLOWING, ticket_id, actor)
        made = load_change(row.plan)
        application_keys(made.application)
        with _session(row.source_id) as session, session.exclusively(), translated():
            source.prepare(session, made)
        return view_of(row)


def backfill(
    changeover_id: UUID, *, actor: audit.Actor, advance: Advance = lambda _count: None
) -> tuple[ChangeoverView, FollowCounts]:
    """Seal what has no sealed value yet, until nothing is left; changes of the meantime are met too.

    Raises:
        KeysLockedError, KeyStoreError, KeyUsesExhaustedError, SourceLostError, DoubleValuesError: stopped; what is done
            is done, run it again.
    """
    with _stored():
        row = in_state(changeover_id, SEALING)
        made = load_change(row.plan)
        with _session(row.source_id) as session, session.exclusively(), translated():
            source.prepare(session, made)  # a start that was killed is completed here
            counts = follow(session, _worker(made, advance))
        with transaction.atomic():
            row.values_sealed += counts.sealed
            row.save(update_fields=["values_sealed"])
            note(row, "changeover.backfill", actor, {"sealed": counts.sealed, "met_again": counts.skipped})
        return view_of(row), counts


def verify(
    changeover_id: UUID, *, actor: audit.Actor, advance: Advance = lambda _count: None
) -> tuple[ChangeoverView, checks.VerifyReport]:
    """Open and compare every value in one snapshot, while the application goes on.

    Raises:
        UnequalValuesError: values are unequal; they were put back to be sealed again, and the report is kept.
        KeysLockedError, KeyStoreError, SourceLostError: nothing was changed.
    """
    with _stored():
        row = in_state(changeover_id, SEALING)
        made = load_change(row.plan)
        with _session(row.source_id) as session, session.exclusively(), translated():
            report = checks.verify(session, _worker(made, advance), key=digest_key())
        row.verify_report = asdict(report)
        move(row, ChangeoverEvent.VERIFY if report.whole else ChangeoverEvent.DOUBT, actor, asdict(report))
    if not report.whole:
        raise UnequalValuesError(
            f"{made.place}: {report.unequal} sealed values are not the clear ones; run backfill and verify again"
        )
    return view_of(row), report


def cut_over(
    changeover_id: UUID, *, actor: audit.Actor, advance: Advance = lambda _count: None
) -> tuple[ChangeoverView, source.CutOverReport | None]:
    """Make the sealed columns the truth, in one short lock; a killed one is completed (and has no report).

    Raises:
        TableBusyError, DoubleValuesError, SourceLostError, KeysLockedError: nothing was changed, run it again.
    """
    with _stored():
        row = in_state(changeover_id, {ChangeoverState.VERIFIED})
        made, report = load_change(row.plan), None
        with _session(row.source_id) as session, session.exclusively(), translated():
            if triggers.stage_of(session.connection, made) is triggers.Stage.GUARDING:
                source.finish_cut_over(session, made)
            else:
                source.prepare(session, made)
                worker = _worker(made, advance)
                follow(session, worker)
                source.build_companions(session, made)
                follow(session, worker)
                report = source.cut_over(session, worker)
        facts = asdict(report) if report is not None else {"completed_after_crash": True}
        row.cut_over_report = facts
        move(row, ChangeoverEvent.CUT_OVER, actor, facts)
        return view_of(row), report


def scrub(
    changeover_id: UUID,
    *,
    ticket_id: UUID | None,
    actor: Subject,
    maintenance: Mapping[str, str] | None = None,
    overlay: str | None = None,
) -> tuple[ChangeoverView, proving.LeftoverReport]:
    """Drop the clear columns, rewrite the table, clean statistics, write-ahead log and server log, and prove it.

    There is no way back. The rewrite holds the table locked. It may be run again without a ticket until its report is
    complete, for example with `maintenance`, the connection of a superuser.

    Raises:
        TicketNotFoundError, TicketMismatchError, TicketTransitionError: not approved so; nothing was changed.
        TableBusyError, SourceLostError, KeysLockedError: run it again.
    """
    with _stored():
        row = redeemed(changeover_id, ChangeoverEvent.SCRUB, ChangeoverState.SCRUBBING, ticket_id, actor)
        made = load_change(row.plan)
        with _session(row.source_id) as session, session.exclusively(), translated():
            source.drop_clear(session, made)
            parameters = dict(maintenance or inventory.connection_of(inventory.source_of(row.source_id)))
            report = proving.clean_and_prove(
                session, made, parameters=parameters, keys=application_keys(made.application), overlay=overlay
            )
        row.scrub_report = asdict(report)
        facts: dict[str, audit.FactValue] = {
            "complete": report.complete,
            "hits": report.hits,
            "looked_for": report.needles,
        }
        if report.complete:
            move(row, ChangeoverEvent.FINISH, actor_of(actor), facts)
        else:
            with transaction.atomic():
                row.save(update_fields=["scrub_report"])
                note(row, "changeover.scrub_incomplete", actor_of(actor), facts)
        return view_of(row), report


def abandon(changeover_id: UUID, *, actor: audit.Actor) -> ChangeoverView:
    """Take everything back before the cut-over; the clear columns were never touched.

    Raises:
        ChangeoverTransitionError: it was cut over already.
    """
    with _stored():
        row = row_of(changeover_id)
        next_state(row, ChangeoverEvent.ABANDON)
        made = load_change(row.plan)
        if row.state != ChangeoverState.PLANNED.value:
            with _session(row.source_id) as session, session.exclusively(), translated():
                if triggers.stage_of(session.connection, made) is triggers.Stage.GUARDING:
                    raise ChangeoverTransitionError("changeover: the table is cut over; run cut-over to complete it")
                source.take_back(session, made)
        move(row, ChangeoverEvent.ABANDON, actor, {})
        return view_of(row)


def status(changeover_id: UUID | None = None, *, count: bool = False) -> list[tuple[ChangeoverView, int | None]]:
    """Return one changeover, or all that are open; with `count`, how many rows wait to be sealed in the source."""
    rows = [row_of(changeover_id)] if changeover_id else list(Changeover.objects.all()[:100])
    found: list[tuple[ChangeoverView, int | None]] = []
    for row in rows:
        waiting = None
        if count and ChangeoverState(row.state) in SEALING:
            with _session(row.source_id) as session:
                waiting = pending_rows(session.connection, load_change(row.plan), most=1_000_000)
        found.append((view_of(row), waiting))
    return found


def _worker(made: TableChange, advance: Advance) -> Worker:
    return Worker(
        plan=made,
        keys=lambda: application_keys(made.application),
        claim=lambda values: claim(made.application, values),
        advance=advance,
    )


@contextmanager
def _session(source_id: UUID) -> Iterator[SourceSession]:
    session = SourceSession(inventory.connection_of(inventory.source_of(source_id)))
    try:
        with translated():
            session.connection.execute("SELECT set_config(%s, 'on', false)", (triggers.SEALING,))
        yield session
    finally:
        session.close()


@contextmanager
def _stored() -> Iterator[None]:
    try:
        yield
    except DatabaseError:
        raise ChangeoverStoreError("jobs: Kuimen's own database failed; nothing is lost, run the step again") from None
