"""The moment of truth for a group of tables: one short transaction under exclusive locks.

Stragglers are sealed, nothing may be left without a reference, constraints move to the reference columns, the clear
columns go, the masked view comes. Either all of it is committed or nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

from psycopg import sql

from kuimen.governance.protection.catalogue import columns_of
from kuimen.governance.protection.errors import StragglersRemainError
from kuimen.governance.protection.plan import ColumnPlan, TablePlan
from kuimen.governance.protection.preparing import drop_trigger, fill_customer_refs, leaf_tables
from kuimen.governance.protection.proof import TEXT_TYPES
from kuimen.governance.protection.rules import Action
from kuimen.governance.protection.sealing import SealContext, SealCounts, pending_rows, seal_locked
from kuimen.governance.protection.session import Connection, SourceSession, column, joined, table_name
from kuimen.governance.protection.views import build_masked_view, rebuild_views, take_down_views
from kuimen.sources.marks import sealed_mark

_ACTIONS: dict[str, LiteralString] = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}
_CONSTRAINTS: LiteralString = """
    SELECT k.conname, k.contype::text, n.nspname, c.relname, fn.nspname, fc.relname,
           (SELECT array_agg(a.attname ORDER BY u.i) FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n)::text[],
           (SELECT array_agg(a.attname ORDER BY u.i) FROM unnest(k.confkey) WITH ORDINALITY u(n, i)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n)::text[],
           k.confupdtype::text, k.confdeltype::text, k.condeferrable, k.condeferred
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class fc ON fc.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = fc.relnamespace
    WHERE k.contype IN ('p', 'u', 'f') AND k.conparentid = 0
      AND (k.conrelid = ANY(%(oids)s) OR k.confrelid = ANY(%(oids)s))
    ORDER BY k.contype DESC, k.conname
"""


@dataclass(slots=True, kw_only=True)
class CutOverCounts:
    """What a cut-over did.

    Attributes:
        destroyed: per (schema, table, column), values destroyed.
        dropped_constraints: names of constraints that could not be carried over.
        needles: destroyed values, for the proof of the same process; never written anywhere.
    """

    seals: dict[tuple[str, str], SealCounts] = field(default_factory=dict)
    destroyed: dict[tuple[str, str, str], int] = field(default_factory=dict)
    dropped_constraints: list[str] = field(default_factory=list)
    rebuilt_views: list[str] = field(default_factory=list)
    needles: list[tuple[str, str, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Constraint:
    name: str
    kind: str
    place: tuple[str, str]
    target: tuple[str, str] | None
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]
    on_update: str
    on_delete: str
    deferrable: bool
    deferred: bool


def cut_over(
    session: SourceSession,
    plans: Sequence[TablePlan],
    context: SealContext,
    *,
    before_commit: Callable[[CutOverCounts], None] = lambda _counts: None,
) -> CutOverCounts:
    """Cut a group of tables over; nothing happens to tables whose clear columns are gone already.

    `before_commit` is called with the counts just before the source commits, to note what is about to be destroyed.

    Raises:
        StragglersRemainError: rows without a reference remain (a value too large, a foreign key that points nowhere).
        CutOverRefusedError: something stands on a column.
        RelationUnreadableError: the locks were not granted in time.
    """
    counts = CutOverCounts()
    with session.transaction() as connection:
        working = [plan for plan in plans if _still_clear(connection, plan)]
        if not working:
            return counts
        for plan in sorted(working, key=lambda plan: (plan.schema, plan.name)):
            connection.execute(
                sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table_name(plan.schema, plan.name))
            )
        for plan in working:
            fill_customer_refs(connection, plan)
            counts.seals[plan.schema, plan.name] = seal_locked(connection, plan, context)
        follow_parents(connection, working)
        for plan in working:
            if remaining := pending_rows(connection, plan):
                raise StragglersRemainError(
                    f"{plan.place}: {remaining} rows hold a clear value without a reference (too large for the vault,"
                    " or a foreign key that points nowhere); nothing was dropped"
                )
            _destroy(connection, plan, counts)
        constraints = _constraints(connection, working)
        views = take_down_views(connection, working)
        _drop(connection, working, constraints)
        _carry_over(connection, working, constraints, counts)
        for plan in working:
            build_masked_view(connection, plan)
        rebuild_views(connection, working, views)
        counts.rebuilt_views = [f"{view.schema}.{view.name}" for view in views]
        before_commit(counts)
    return counts


def _still_clear(connection: Connection, plan: TablePlan) -> bool:
    live = columns_of(connection, plan.schema, plan.name)
    return any(one.name in live for one in plan.removed)


def follow_parents(connection: Connection, plans: Sequence[TablePlan]) -> int:
    """Give foreign keys on sealed columns the references of their parents; return how many were written."""
    written = 0
    waiting = [(plan, one) for plan in plans for one in plan.acting(Action.FOLLOW)]
    for _ in range(len(waiting) + 1):  # a chain of keys settles in as many rounds as it is long
        changed = sum(_follow(connection, plan, one) for plan, one in waiting)
        written += changed
        if not changed:
            break
    return written


def _follow(connection: Connection, plan: TablePlan, one: ColumnPlan) -> int:
    live = columns_of(connection, plan.schema, plan.name)
    parent_live = columns_of(connection, one.parent_schema, one.parent_table)
    if one.name not in live or any(other not in parent_live for _, other in one.join):
        return 0
    parent_reference = _reference_of(parent_live, one.parent_column)
    if parent_reference is None:
        return 0
    written = 0
    for schema, leaf in leaf_tables(connection, plan):
        written += connection.execute(
            sql.SQL(
                "UPDATE ONLY {leaf} AS t SET {own} = p.{ref} FROM {parent} AS p"
                " WHERE t.{value} IS NOT NULL AND t.{own} IS NULL AND p.{ref} IS NOT NULL AND {equal}"
            ).format(
                leaf=table_name(schema, leaf),
                own=sql.Identifier(one.reference),
                ref=sql.Identifier(parent_reference),
                parent=table_name(one.parent_schema, one.parent_table),
                value=sql.Identifier(one.name),
                equal=joined(
                    [sql.SQL("{} = {}").format(column(own), column(other, alias="p")) for own, other in one.join],
                    " AND ",
                ),
            )
        ).rowcount
    return written


def _reference_of(live: dict[str, tuple[str, str | None]], clear_column: str) -> str | None:
    for name, (_, comment) in live.items():
        mark = sealed_mark(comment)
        if mark is not None and mark.column == clear_column:
            return name
    return None


def _destroy(connection: Connection, plan: TablePlan, counts: CutOverCounts) -> None:
    """Count what goes for good, and keep it as needles in memory; the column is dropped with the others."""
    live = columns_of(connection, plan.schema, plan.name)
    for one in plan.acting(Action.DESTROY):
        if one.name not in live:
            continue
        rows = connection.execute(
            sql.SQL("SELECT {}::text FROM {} AS t WHERE {} IS NOT NULL").format(
                column(one.name), table_name(plan.schema, plan.name), column(one.name)
            )
        ).fetchall()
        counts.destroyed[plan.schema, plan.name, one.name] = len(rows)
        as_text = live[one.name][0].startswith(TEXT_TYPES)
        counts.needles += [(str(one.element), row[0], as_text) for row in rows]


def _constraints(connection: Connection, plans: Sequence[TablePlan]) -> list[_Constraint]:
    names = [table_name(plan.schema, plan.name).as_string(connection) for plan in plans]
    oids = [row[0] for row in connection.execute("SELECT unnest(%s::text[])::regclass::oid", (names,)).fetchall()]
    removed = {(plan.schema, plan.name): {one.name for one in plan.removed} for plan in plans}
    found = []
    for row in connection.execute(_CONSTRAINTS, {"oids": oids}).fetchall():
        constraint = _constraint(row)
        gone = removed.get(constraint.place, set()) & set(constraint.columns)
        if constraint.target is not None:
            gone |= removed.get(constraint.target, set()) & set(constraint.target_columns)
        if gone:
            found.append(constraint)
    return found


def _constraint(row: tuple[Any, ...]) -> _Constraint:
    name, kind, schema, table, target_schema, target_table, columns, targets, on_update, on_delete, able, deferred = row
    return _Constraint(
        name=name,
        kind=kind,
        place=(schema, table),
        target=(target_schema, target_table) if target_schema is not None else None,
        columns=tuple(columns),
        target_columns=tuple(targets or ()),
        on_update=on_update,
        on_delete=on_delete,
        deferrable=able,
        deferred=deferred,
    )


def _drop(connection: Connection, plans: Sequence[TablePlan], constraints: Sequence[_Constraint]) -> None:
    for constraint in constraints:
        if constraint.kind == "f":
            connection.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(
                    table_name(*constraint.place), sql.Identifier(constraint.name)
                )
            )
    for plan in plans:
        drop_trigger(connection, plan)
        live = columns_of(connection, plan.schema, plan.name)
        # generated columns first: they stand on the others
        going = sorted(plan.removed, key=lambda one: one.action is not Action.DERIVED)
        drops = [sql.SQL("DROP COLUMN {}").format(sql.Identifier(one.name)) for one in going if one.name in live]
        for drop in drops:
            connection.execute(sql.SQL("ALTER TABLE {} {}").format(table_name(plan.schema, plan.name), drop))


def _carry_over(
    connection: Connection, plans: Sequence[TablePlan], constraints: Sequence[_Constraint], counts: CutOverCounts
) -> None:
    references = {
        (plan.schema, plan.name): {one.name: one.reference for one in plan.removed if one.reference} for plan in plans
    }
    removed = {(plan.schema, plan.name): {one.name for one in plan.removed} for plan in plans}

    def moved(place: tuple[str, str], names: Sequence[str]) -> list[str] | None:
        mapped = [references.get(place, {}).get(name, name) for name in names]
        return None if removed.get(place, set()) & set(mapped) else mapped

    for plan in plans:
        for one in plan.referenced:
            if not one.nullable:
                connection.execute(
                    sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL").format(
                        table_name(plan.schema, plan.name), sql.Identifier(one.reference)
                    )
                )
    unique: set[tuple[tuple[str, str], frozenset[str]]] = set()
    for constraint in sorted(constraints, key=lambda constraint: constraint.kind == "f"):
        columns = moved(constraint.place, constraint.columns)
        targets = moved(constraint.target, constraint.target_columns) if constraint.target else []
        if columns is None or targets is None:
            counts.dropped_constraints.append(f"{constraint.place[0]}.{constraint.place[1]}: {constraint.name}")
            continue
        if constraint.target is not None and (constraint.target, frozenset(targets)) not in unique:
            _ensure_unique(connection, constraint.target, targets)
            unique.add((constraint.target, frozenset(targets)))
        if constraint.kind != "f":
            unique.add((constraint.place, frozenset(columns)))
        _add_constraint(connection, constraint, columns, targets)


def _ensure_unique(connection: Connection, target: tuple[str, str], columns: Sequence[str]) -> None:
    """A foreign key may have stood on a mere unique index; its successor needs one, too."""
    row = connection.execute(
        """
        SELECT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = %s::regclass AND i.indisunique AND i.indpred IS NULL
                       AND (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a
                            WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)) = %s::text[])
        """,
        (table_name(*target).as_string(connection), sorted(columns)),
    ).fetchone()
    if not row or not row[0]:
        connection.execute(sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(table_name(*target), _names(columns)))


def _names(columns: Sequence[str]) -> sql.Composed:
    return joined([sql.Identifier(name) for name in columns], ", ")


def _add_constraint(
    connection: Connection, constraint: _Constraint, columns: Sequence[str], targets: Sequence[str]
) -> None:
    timing: LiteralString = ""
    if constraint.deferrable:
        timing = " DEFERRABLE INITIALLY DEFERRED" if constraint.deferred else " DEFERRABLE"
    body: sql.Composable
    if constraint.kind == "f":
        assert constraint.target is not None
        body = sql.SQL("FOREIGN KEY ({}) REFERENCES {} ({}) ON UPDATE {} ON DELETE {}").format(
            _names(columns),
            table_name(*constraint.target),
            _names(targets),
            sql.SQL(_ACTIONS[constraint.on_update]),
            sql.SQL(_ACTIONS[constraint.on_delete]),
        )
    else:
        kind: LiteralString = "PRIMARY KEY" if constraint.kind == "p" else "UNIQUE"
        body = sql.SQL("{} ({})").format(sql.SQL(kind), _names(columns))
    connection.execute(
        sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}{}").format(
            table_name(*constraint.place), sql.Identifier(constraint.name), body, sql.SQL(timing)
        )
    )
