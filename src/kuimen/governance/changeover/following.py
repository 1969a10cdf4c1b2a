"""The sealing worker: finds the rows that have a clear value and no sealed one, and seals them batch by batch.

It never waits for a row and never makes the application wait longer than one batch: rows are locked with SKIP LOCKED
and written only if they still are the very versions that were read (`xmin`). What was skipped is met again in the next
pass.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from psycopg import errors as pg_errors
from psycopg import sql

from kuimen.governance.changeover import triggers
from kuimen.governance.changeover.errors import DoubleValuesError, UnequalValuesError
from kuimen.governance.changeover.plan import TableChange
from kuimen.governance.changeover.rules import KEY_CASTS, type_name
from kuimen.governance.protection.session import Connection, SourceSession, column, joined, table_name, translated
from kuimen.kernels.sealed_columns import ColumnKeySource, SealedColumn, row_context

BATCH_ROWS = 2_000
NEARLY_NONE = 200
MOST_PASSES = 50
_PAUSE = 0.2
Claim = Callable[[int], None]
Advance = Callable[[int], None]


@dataclass(slots=True, kw_only=True)
class FollowCounts:
    """What sealing did.

    Attributes:
        sealed: values.
        skipped: rows that the application was changing just then; they were met again.
    """

    sealed: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What sealing needs beside the table.

    Attributes:
        keys: asked anew for every batch, so that keys that are taken away stop it at once.
        claim: counts values before they are sealed.
        advance: called with the number of values done.
    """

    plan: TableChange
    keys: Callable[[], ColumnKeySource]
    claim: Claim
    advance: Advance = lambda _count: None
    batch: int = BATCH_ROWS
    never: Event = field(default_factory=Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    key: tuple[str, ...]
    version: str
    clear: tuple[str | None, ...]


def follow(session: SourceSession, worker: Worker) -> FollowCounts:
    """Seal until next to nothing is left: a busy application changes rows faster than "nothing" could be reached.

    The cut-over seals the rest under its lock; should writers outrun the worker, it refuses instead of locking long.

    Raises:
        KuimenError: keys, vault or source failed; what is done is done, run again.
    """
    counts = FollowCounts()
    for _ in range(MOST_PASSES):
        once = _pass(session, worker)
        counts.sealed += once.sealed
        counts.skipped += once.skipped
        if pending_rows(session.connection, worker.plan, most=NEARLY_NONE) <= NEARLY_NONE:
            break
        if not once.sealed:
            worker.never.wait(_PAUSE)  # somebody holds the rows
    return counts


def follow_locked(connection: Connection, worker: Worker) -> int:
    """Seal what is left of a table that the caller holds locked, inside the caller's transaction."""
    sealed = 0
    for rows in _batches(connection, worker):
        sealed += _write(connection, worker, rows, waiting=True)[0]
    return sealed


def pending_rows(connection: Connection, plan: TableChange, *, most: int = 0) -> int:
    """Count the rows that are to be sealed, one more than `most` at most."""
    with translated():
        row = connection.execute(
            sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE {} LIMIT %s) AS found").format(
                table_name(plan.schema, plan.name), triggers.pending(plan)
            ),
            (most + 1,),
        ).fetchone()
    return int(row[0]) if row else 0


def _pass(session: SourceSession, worker: Worker) -> FollowCounts:
    counts = FollowCounts()
    for rows in _batches(session.connection, worker):
        with session.transaction() as connection:
            sealed, skipped = _write(connection, worker, rows, waiting=False)
        counts.sealed += sealed
        counts.skipped += skipped
        worker.advance(sealed)
    return counts


def _batches(connection: Connection, worker: Worker) -> Iterator[list[_Row]]:
    """Walk the pending rows once, in the order of their key."""
    plan, last = worker.plan, None
    width = len(plan.key)
    while True:
        with translated():
            found = connection.execute(
                _pending_query(plan, after=last is not None), [*(last or ()), worker.batch]
            ).fetchall()
        rows = [_Row(key=tuple(row[:width]), version=row[width], clear=tuple(row[width + 1 :])) for row in found]
        if not rows:
            return
        last = rows[-1].key
        yield rows


def _pending_query(plan: TableChange, *, after: bool) -> sql.Composed:
    keys = joined([column(name) for name in plan.key], ", ")
    beyond: sql.Composable = sql.SQL("")
    if after:
        given = joined([sql.SQL("%s::{}").format(_cast(kind)) for kind in plan.key_types], ", ")
        beyond = sql.SQL("AND ({}) > ({})").format(keys, given)
    return sql.SQL(
        "SELECT {texts}, t.xmin::text, {clear} FROM {table} AS t WHERE ({pending}) {beyond} ORDER BY {keys} LIMIT %s"
    ).format(
        texts=joined([sql.SQL("{}::text").format(column(name)) for name in plan.key], ", "),
        clear=joined([_open_clear(one.name, one.sealed) for one in plan.columns], ", "),
        table=table_name(plan.schema, plan.name),
        pending=triggers.pending(plan),
        beyond=beyond,
        keys=keys,
    )


def _open_clear(name: str, sealed: str) -> sql.Composed:
    """Return a clear value, or NULL where its sealed one stands already."""
    return sql.SQL("CASE WHEN {} IS NULL THEN {}::text END").format(column(sealed), column(name))


def _cast(kind: str) -> sql.SQL:
    return sql.SQL(KEY_CASTS[type_name(kind)])


def seal_rows(worker: Worker, rows: Sequence[_Row]) -> list[list[bytes | None]]:
    """Return (sealed, tag) columns of a batch in the order of the plan, opened again and compared.

    Raises:
        UnequalValuesError: a value does not open to itself; nothing was written.
    """
    contexts = [row_context(row.key) for row in rows]
    source = worker.keys()
    worker.claim(sum(one is not None for row in rows for one in row.clear))
    made: list[list[bytes | None]] = []
    for position, one in enumerate(worker.plan.columns):
        clear = [row.clear[position] for row in rows]
        sealing = SealedColumn(worker.plan.place_of(one), keys=source)
        sealed = sealing.seal(clear, rows=contexts)
        if sealing.open(sealed, rows=contexts) != clear:
            raise UnequalValuesError(f"{worker.plan.place}.{one.name}: sealed values do not open to themselves")
        made.append(sealed)
        if one.index:
            made.append(sealing.tags(clear))
    return made


def _write(connection: Connection, worker: Worker, rows: Sequence[_Row], *, waiting: bool) -> tuple[int, int]:
    """Write one batch; return (values sealed, rows skipped)."""
    made = seal_rows(worker, rows)
    arguments: list[Any] = [[row.key[place] for row in rows] for place in range(len(worker.plan.key))]
    arguments += [[row.version for row in rows], *made]
    connection.execute("SET LOCAL enable_seqscan = off")
    connection.execute("SET LOCAL enable_hashjoin = off")
    try:
        written = {tuple(row) for row in connection.execute(_swap(worker.plan, waiting=waiting), arguments).fetchall()}
    except pg_errors.UniqueViolation:
        raise DoubleValuesError(
            f"{worker.plan.place}: a unique column holds values that are equal once written in one way; mend them"
        ) from None
    values = sum(one is not None for row in rows if row.key in written for one in row.clear)
    return values, len(rows) - len(written)


def _swap(plan: TableChange, *, waiting: bool) -> sql.Composed:
    targets = [name for one in plan.columns for name in ((one.sealed, one.index) if one.index else (one.sealed,))]
    keys = [sql.Identifier(f"k{place}") for place in range(len(plan.key))]
    news = [sql.Identifier(f"n{place}") for place in range(len(targets))]
    return sql.SQL(
        "WITH held AS (SELECT t.ctid AS tid, v.* FROM unnest({given}) AS v({names}) JOIN {table} AS t ON {same}"
        " WHERE t.xmin = v.version FOR UPDATE OF t {waiting})"
        " UPDATE {table} AS t SET {sets} FROM held WHERE t.ctid = held.tid RETURNING {keys}"
    ).format(
        given=joined(
            [*[sql.SQL("%s::text[]")] * len(keys), sql.SQL("%s::text[]::xid[]"), *[sql.SQL("%s::bytea[]")] * len(news)],
            ", ",
        ),
        names=joined([*keys, sql.Identifier("version"), *news], ", "),
        table=table_name(plan.schema, plan.name),
        same=joined(
            [
                sql.SQL("{} = v.{}::{}").format(column(name), key, _cast(kind))
                for name, key, kind in zip(plan.key, keys, plan.key_types, strict=True)
            ],
            " AND ",
        ),
        waiting=sql.SQL("" if waiting else "SKIP LOCKED"),
        sets=joined(
            [
                # a column of the row that was sealed already keeps its value
                sql.SQL("{0} = coalesce(held.{1}, t.{0})").format(sql.Identifier(name), new)
                for name, new in zip(targets, news, strict=True)
            ],
            ", ",
        ),
        keys=joined([sql.SQL("held.{}").format(key) for key in keys], ", "),
    )
