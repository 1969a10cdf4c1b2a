"""What a changeover does to the source's catalogue: columns, trigger, indexes, the moment of cut-over, the drop.

Everything that needs an exclusive lock takes it for a moment, with a short `lock_timeout`, and tries again: while it
waits, the application's own statements queue behind it, so it must not wait for long.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from psycopg import errors as pg_errors
from psycopg import sql

from kuimen.governance.changeover import triggers
from kuimen.governance.changeover.errors import DoubleValuesError, TableBusyError
from kuimen.governance.changeover.following import Worker, follow_locked, pending_rows
from kuimen.governance.changeover.plan import ColumnChange, TableChange
from kuimen.governance.protection.catalogue import columns_of
from kuimen.governance.protection.naming import with_suffix
from kuimen.governance.protection.session import Connection, SourceSession, column, joined, table_name, translated
from kuimen.sources.errors import RelationUnreadableError

ATTEMPTS = 20
MOST_UNDER_LOCK = 5_000  # rows; some hundredths of a second
_PAUSE = 0.25
_never = Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOverReport:
    """How the moment of truth went.

    Attributes:
        sealed_under_lock: values of rows that had changed at the last instant.
        locked_ms: how long the application could not use the table.
        attempts: locks that were not given in time are let go and asked for again.
    """

    sealed_under_lock: int
    locked_ms: int
    attempts: int


def prepare(session: SourceSession, plan: TableChange) -> None:
    """Add columns, trigger and the partial index; doing it again changes nothing."""
    briefly(session, lambda connection: _add(connection, plan))
    _index(session, pending_index(plan), _pending_index(plan), schema=plan.schema)


def _add(connection: Connection, plan: TableChange) -> None:
    live = columns_of(connection, plan.schema, plan.name)
    for name in (name for one in plan.columns for name in _made(one)):
        if name not in live:
            connection.execute(
                sql.SQL("ALTER TABLE {} ADD COLUMN {} bytea").format(
                    table_name(plan.schema, plan.name), sql.Identifier(name)
                )
            )
    if triggers.stage_of(connection, plan) is None:
        triggers.install(connection, plan)


def _made(one: ColumnChange) -> list[str]:
    return [one.sealed, one.index] if one.index else [one.sealed]


def briefly(session: SourceSession, deed: Callable[[Connection], None]) -> int:
    """Run a deed that needs a strong lock in a transaction of its own; return how many attempts it took.

    Raises:
        TableBusyError: the lock was not given, however often it was asked for.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with session.transaction() as connection:
                connection.execute("SET LOCAL lock_timeout = '1s'")
                deed(connection)
        except RelationUnreadableError:
            _never.wait(_PAUSE * attempt)
        else:
            return attempt
    raise TableBusyError("table: the application holds it in long transactions; nothing was changed, run again")


def pending_index(plan: TableChange) -> str:
    """Return the name of the partial index of rows that are to be sealed."""
    return with_suffix(plan.name, "_kuimen_pending")


def _pending_index(plan: TableChange) -> sql.Composed:
    return sql.SQL("CREATE INDEX CONCURRENTLY {} ON {} ({}) WHERE {}").format(
        sql.Identifier(pending_index(plan)),
        table_name(plan.schema, plan.name),
        joined([sql.Identifier(name) for name in plan.key], ", "),
        triggers.pending(plan),
    )


def build_companions(session: SourceSession, plan: TableChange) -> None:
    """Give the blind indexes of indexed and unique columns an index, without stopping the application.

    Raises:
        DoubleValuesError: values of a unique column are equal once they are written in one way.
    """
    for one in plan.columns:
        if not one.index or not (one.indexed or one.unique):
            continue
        name = with_suffix(plan.name, f"_{one.index}_kuimen")
        statement = sql.SQL("CREATE {} INDEX CONCURRENTLY {} ON {} ({})").format(
            sql.SQL("UNIQUE" if one.unique else ""),
            sql.Identifier(name),
            table_name(plan.schema, plan.name),
            sql.Identifier(one.index),
        )
        _index(session, name, statement, double=f"{plan.place}.{one.name}", schema=plan.schema)


def _index(session: SourceSession, name: str, statement: sql.Composed, *, schema: str, double: str = "") -> None:
    """Build an index concurrently, or again where a killed run left an invalid one."""
    connection = session.connection
    with translated():
        found = connection.execute(
            "SELECT i.indisvalid, n.nspname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = %s AND n.nspname = %s",
            (name, schema),
        ).fetchone()
        if found and found[0]:
            return
        if found:
            connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(found[1], name)))
    try:
        with translated():
            connection.execute("SET lock_timeout = '10min'")  # it waits for old transactions, and nobody waits for it
            _build(connection, statement, double)
    finally:
        with translated():
            connection.execute("SET lock_timeout = '15s'")


def _build(connection: Connection, statement: sql.Composed, double: str) -> None:
    try:
        connection.execute(statement)
    except pg_errors.UniqueViolation:
        raise DoubleValuesError(
            f"{double}: it is unique, but holds values that are equal once written in one way; mend them and run again"
        ) from None
    except pg_errors.LockNotAvailable:
        raise TableBusyError("table: a transaction runs for more than ten minutes; end it and run again") from None


def cut_over(session: SourceSession, worker: Worker) -> CutOverReport:
    """Make the sealed columns the truth: lock, seal what is left, change the trigger, let go.

    Raises:
        TableBusyError: the lock was not given; nothing was changed.
        KuimenError: keys or source failed; nothing was changed.
    """
    plan = worker.plan
    told = [0, 0.0]

    def deed(connection: Connection) -> None:
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table_name(plan.schema, plan.name)))
        started = time.perf_counter()
        if pending_rows(connection, plan, most=MOST_UNDER_LOCK) > MOST_UNDER_LOCK:
            raise TableBusyError("table: the application writes faster than rows are sealed; run backfill, then again")
        told[0] = follow_locked(connection, worker)
        if pending_rows(connection, plan):
            raise TableBusyError("table: rows without a sealed value remain; nothing was changed, run again")
        triggers.set_stage(connection, plan, triggers.Stage.GUARDING)
        for one in plan.columns:
            if not one.nullable:
                _move_not_null(connection, plan, one)
        told[1] = time.perf_counter() - started

    attempts = briefly(session, deed)
    finish_cut_over(session, plan)
    return CutOverReport(sealed_under_lock=int(told[0]), locked_ms=round(told[1] * 1000), attempts=attempts)


def finish_cut_over(session: SourceSession, plan: TableChange) -> None:
    """Prove the new NOT NULL of old rows, which takes a scan and stops nobody."""
    for one in plan.columns:
        if not one.nullable:
            with session.transaction() as connection:
                connection.execute(
                    sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(
                        table_name(plan.schema, plan.name), sql.Identifier(_given(one))
                    )
                )


def _given(one: ColumnChange) -> str:
    return with_suffix(one.sealed, "_given")


def _move_not_null(connection: Connection, plan: TableChange, one: ColumnChange) -> None:
    table = table_name(plan.schema, plan.name)
    connection.execute(sql.SQL("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL").format(table, sql.Identifier(one.name)))
    connection.execute(
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} CHECK ({} IS NOT NULL) NOT VALID").format(
            table, sql.Identifier(_given(one)), sql.Identifier(one.sealed)
        )
    )


def drop_clear(session: SourceSession, plan: TableChange) -> None:
    """Drop clear columns and trigger; what is left of them in the pages is the scrub's business."""

    def deed(connection: Connection) -> None:
        live = columns_of(connection, plan.schema, plan.name)
        table = table_name(plan.schema, plan.name)
        triggers.remove(connection, plan)
        for one in plan.columns:
            if one.name not in live:
                continue
            connection.execute(sql.SQL("ALTER TABLE {} DROP COLUMN {}").format(table, sql.Identifier(one.name)))
            if not one.nullable:
                connection.execute(
                    sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL").format(table, sql.Identifier(one.sealed))
                )
                connection.execute(
                    sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, sql.Identifier(_given(one)))
                )

    briefly(session, deed)


def take_back(session: SourceSession, plan: TableChange) -> None:
    """Undo a changeover before its cut-over: what it added goes, the clear columns were never touched."""

    def deed(connection: Connection) -> None:
        live = columns_of(connection, plan.schema, plan.name)
        triggers.remove(connection, plan)
        for name in (name for one in plan.columns for name in _made(one) if name in live):
            connection.execute(
                sql.SQL("ALTER TABLE {} DROP COLUMN {}").format(
                    table_name(plan.schema, plan.name), sql.Identifier(name)
                )
            )

    briefly(session, deed)


def own_files(connection: Connection, plan: TableChange) -> tuple[set[str], set[str]]:
    """Return the names of the files of the table, its TOAST and its indexes, and of the server's statistics."""
    with translated():
        own = connection.execute(
            "SELECT pg_relation_filenode(f.oid)::text FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace"
            " JOIN pg_class f ON f.oid IN (t.oid, t.reltoastrelid)"
            " OR f.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN (t.oid, t.reltoastrelid))"
            " WHERE n.nspname = %s AND t.relname = %s",
            (plan.schema, plan.name),
        ).fetchall()
        statistics = connection.execute(
            "SELECT pg_relation_filenode(oid)::text FROM pg_class"
            " WHERE relnamespace = 'pg_catalog'::regnamespace AND relname LIKE 'pg_statistic%'"
        ).fetchall()
    return {row[0] for row in own if row[0]}, {row[0] for row in statistics if row[0]}


def sealed_query(plan: TableChange, one: ColumnChange, *, most: int) -> sql.Composed:
    """Return the query of row keys and sealed values of a column, for the proof."""
    return sql.SQL("SELECT ARRAY[{}], {} FROM {} AS t WHERE {} IS NOT NULL LIMIT {}").format(
        joined([sql.SQL("{}::text").format(column(name)) for name in plan.key], ", "),
        column(one.sealed),
        table_name(plan.schema, plan.name),
        column(one.sealed),
        sql.Literal(most),
    )
