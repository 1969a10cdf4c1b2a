"""The masked view of a protected table, and the application's own views rebuilt upon it.

A rebuilt view keeps its text. It is parsed with a schema first in the search path in which each protected table has a
namesake: a view of the masked view. So no text of a view is ever edited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from kuimen.foundation.sensitive import FIXED_MASK
from kuimen.governance.protection.catalogue import columns_of
from kuimen.governance.protection.errors import CutOverRefusedError
from kuimen.governance.protection.naming import with_suffix
from kuimen.governance.protection.plan import TablePlan
from kuimen.governance.protection.rules import REFERENCED, REMOVED
from kuimen.governance.protection.session import Connection, column, joined, table_name
from kuimen.sources.marks import CUSTOMER_REF, MASKED_VIEW, ROW_KEY, sealed_mark

_DEPENDING: LiteralString = """
    WITH RECURSIVE standing(oid, depth) AS (
        SELECT r.ev_class, 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
          AND d.refobjid = ANY(SELECT (format('%%I.%%I', s, t))::regclass::oid
                               FROM unnest(%(schemas)s::text[], %(tables)s::text[]) u(s, t))
          AND r.ev_class <> d.refobjid
        UNION
        SELECT r.ev_class, s.depth + 1 FROM standing s
        JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = s.oid
        JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.ev_class <> s.oid
        WHERE s.depth < 50
    )
    SELECT c.oid, n.nspname, c.relname, c.relkind::text, pg_get_viewdef(c.oid), pg_get_userbyid(c.relowner),
           obj_description(c.oid, 'pg_class'), c.reloptions,
           ARRAY(SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid),
           max(s.depth)
    FROM standing s JOIN pg_class c ON c.oid = s.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    GROUP BY c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.reloptions
    ORDER BY max(s.depth), n.nspname, c.relname
"""
_GRANTS: LiteralString = """
    SELECT CASE WHEN x.grantee = 0 THEN NULL ELSE pg_get_userbyid(x.grantee) END, x.privilege_type
    FROM pg_class c, aclexplode(c.relacl) x
    WHERE c.oid = %s AND x.grantee <> c.relowner AND x.privilege_type = ANY(%s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredView:
    """Everything needed to build a view again."""

    schema: str
    name: str
    materialised: bool
    definition: str
    owner: str
    comment: str | None
    options: tuple[str, ...]
    indexes: tuple[str, ...]
    grants: tuple[tuple[str | None, str], ...]


def take_down_views(connection: Connection, plans: Sequence[TablePlan]) -> list[StoredView]:
    """Drop every view that stands on the tables, and return the application's own in the order of building."""
    if not plans:
        return []
    schema = plans[0].schema
    _search(connection, schema)  # tables of this schema are then printed without it, and resolve to their namesakes
    rows = connection.execute(
        _DEPENDING, {"schemas": [plan.schema for plan in plans], "tables": [plan.name for plan in plans]}
    ).fetchall()
    views = [(row, _grants(connection, row[0], ["SELECT", "INSERT", "UPDATE", "DELETE"])) for row in rows]
    _search(connection, "pg_catalog")
    for row, _ in reversed(views):
        kind: LiteralString = "MATERIALIZED VIEW" if row[3] == "m" else "VIEW"
        connection.execute(sql.SQL("DROP {} {}").format(sql.SQL(kind), sql.Identifier(row[1], row[2])))
    return [_stored(row, grants) for row, grants in views if row[6] != MASKED_VIEW]


def _stored(row: tuple[Any, ...], grants: list[tuple[str | None, str]]) -> StoredView:
    return StoredView(
        schema=row[1],
        name=row[2],
        materialised=row[3] == "m",
        definition=row[4].rstrip().rstrip(";"),
        owner=row[5],
        comment=row[6],
        options=tuple(row[7] or ()),
        indexes=tuple(row[8]),
        grants=tuple(grants),
    )


def _grants(connection: Connection, oid: int, privileges: list[str]) -> list[tuple[str | None, str]]:
    return [(grantee, kind) for grantee, kind in connection.execute(_GRANTS, (oid, privileges)).fetchall()]


def _search(connection: Connection, *schemas: str) -> None:
    path = joined([sql.Identifier(schema) for schema in schemas], ", ").as_string(connection)
    connection.execute("SELECT set_config('search_path', %s, true)", (path,))


def build_masked_view(connection: Connection, plan: TablePlan) -> None:
    """Create `<table>_masked`: original names, a fixed mask where a value is sealed, everything else as it is."""
    live = columns_of(connection, plan.schema, plan.name)
    own = {name for name, (_, comment) in live.items() if comment in {CUSTOMER_REF, ROW_KEY} or sealed_mark(comment)}
    sealed = {mark.column: name for name, (_, comment) in live.items() if (mark := sealed_mark(comment))}
    planned = {one.name: one for one in plan.columns}
    order = [*(one.name for one in plan.columns), *(name for name in live if name not in planned and name not in own)]
    order += [name for name in sealed if name not in order]
    shown: list[sql.Composable] = []
    for name in order:
        one = planned.get(name)
        reference = sealed.get(name) or (one.reference if one and one.action in REFERENCED else "")
        if name in live and not (one and one.action in REMOVED):
            shown.append(column(name))
        elif reference and reference in live:
            shown.append(
                sql.SQL("CASE WHEN {} IS NOT NULL THEN {}::text END AS {}").format(
                    column(reference), sql.Literal(FIXED_MASK), sql.Identifier(name)
                )
            )
        else:
            shown.append(sql.SQL("NULL::text AS {}").format(sql.Identifier(name)))
    shown += [column(name) for name, (_, comment) in live.items() if comment == CUSTOMER_REF]
    view, table = sql.Identifier(plan.schema, plan.view), table_name(plan.schema, plan.name)
    connection.execute(sql.SQL("CREATE VIEW {} AS SELECT {} FROM {} AS t").format(view, joined(shown, ", "), table))
    connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(view, sql.Literal(MASKED_VIEW)))
    row = connection.execute("SELECT %s::regclass::oid", (table.as_string(connection),)).fetchone()
    for grantee, _ in _grants(connection, row[0] if row else 0, ["SELECT"]):
        _grant(connection, "SELECT", view, grantee)


def _grant(connection: Connection, privilege: str, view: sql.Identifier, grantee: str | None) -> None:
    allowed: dict[str, LiteralString] = {
        "SELECT": "SELECT",
        "INSERT": "INSERT",
        "UPDATE": "UPDATE",
        "DELETE": "DELETE",
    }
    whom: sql.Composable = sql.SQL("PUBLIC") if grantee is None else sql.Identifier(grantee)
    connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(allowed[privilege]), view, whom))


def rebuild_views(connection: Connection, plans: Sequence[TablePlan], views: Sequence[StoredView]) -> None:
    """Build the application's views again, upon the masked views.

    Raises:
        CutOverRefusedError: a view's text does not work on masked values; names the view, nothing is changed.
    """
    if not views:
        return
    schema = plans[0].schema
    namesakes = with_suffix(schema, "_kuimen_views")
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(namesakes)))
    for plan in plans:
        shim = sql.Identifier(namesakes, plan.name)
        connection.execute(
            sql.SQL("CREATE VIEW {} AS SELECT * FROM {}").format(shim, sql.Identifier(plan.schema, plan.view))
        )
        connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(shim, sql.Literal(MASKED_VIEW)))
    for view in views:
        _search(connection, namesakes, schema)
        try:
            with connection.transaction():
                _rebuild(connection, view)
        except psycopg.Error as error:
            raise CutOverRefusedError(
                f"view {view.schema}.{view.name}: does not work on masked values ({error.sqlstate});"
                " change or drop it, and run again"
            ) from None
        finally:
            _search(connection, "pg_catalog")


def _rebuild(connection: Connection, view: StoredView) -> None:
    name = sql.Identifier(view.schema, view.name)
    kind: LiteralString = "MATERIALIZED VIEW" if view.materialised else "VIEW"
    # the text is PostgreSQL's own rendering of a view that was there a moment ago
    connection.execute(sql.SQL("CREATE {} {} AS {}").format(sql.SQL(kind), name, sql.SQL(view.definition)))
    for option in view.options:
        key, _, value = option.partition("=")
        connection.execute(
            sql.SQL("ALTER {} {} SET ({} = {})").format(sql.SQL(kind), name, sql.Identifier(key), sql.Literal(value))
        )
    if view.comment is not None:
        connection.execute(sql.SQL("COMMENT ON {} {} IS {}").format(sql.SQL(kind), name, sql.Literal(view.comment)))
    for definition in view.indexes:
        connection.execute(sql.SQL(definition))
    for grantee, privilege in view.grants:
        _grant(connection, privilege, name, grantee)
    row = connection.execute("SELECT current_user").fetchone()
    if row and row[0] != view.owner:
        connection.execute(sql.SQL("ALTER {} {} OWNER TO {}").format(sql.SQL(kind), name, sql.Identifier(view.owner)))
