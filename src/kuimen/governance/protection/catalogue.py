"""What a source's catalogue says about the tables that are to change: owners, dependants, constraints, leaves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependant:
    """An object that stands on a column, so that the column cannot simply go.

    Attributes:
        kind: view, materialised view, trigger, policy, generated, function, publication or other.
        columns: columns of the table that it uses.
    """

    kind: str
    name: str
    oid: int
    columns: frozenset[str]


@dataclass(slots=True, kw_only=True)
class TableFacts:
    """What must be known of one table before it is changed."""

    oid: int
    owned: bool
    may_create: bool
    inherited_columns: frozenset[str] = frozenset()
    has_children: bool = False
    partition_key: frozenset[str] = frozenset()
    user_triggers: tuple[str, ...] = ()
    dependants: list[Dependant] = field(default_factory=list)
    generated_from: dict[str, set[str]] = field(default_factory=dict)

    def standing_on(self, column: str) -> list[Dependant]:
        """Return what depends on one column."""
        return [dependant for dependant in self.dependants if column in dependant.columns]


_TABLES: LiteralString = """
    SELECT c.oid, n.nspname, c.relname, pg_has_role(c.relowner, 'USAGE'), has_schema_privilege(n.oid, 'CREATE'),
           EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid) AND c.relkind = 'r',
           ARRAY(SELECT a.attname::text FROM pg_attribute a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attinhcount > 0),
           ARRAY(SELECT a.attname::text FROM pg_partitioned_table p JOIN pg_attribute a
                 ON a.attrelid = c.oid AND a.attnum = ANY(p.partattrs::int2[]) WHERE p.partrelid = c.oid),
           ARRAY(SELECT t.tgname::text FROM pg_trigger t
                 WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgname !~ '^zz_kuimen_')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
_DEPENDANTS: LiteralString = """
    SELECT d.refobjid, a.attname, d.classid::regclass::text, d.objid, d.objsubid, d.deptype::text,
           v.relkind::text, v.oid, vn.nspname || '.' || v.relname, t.tgname, pol.polname, p.proname, g.attname,
           d.classid = 'pg_attrdef'::regclass AND ga.attgenerated <> ''
    FROM pg_depend d
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_class v ON v.oid = r.ev_class
    LEFT JOIN pg_namespace vn ON vn.oid = v.relnamespace
    LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
    LEFT JOIN pg_policy pol ON d.classid = 'pg_policy'::regclass AND pol.oid = d.objid
    LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
    LEFT JOIN pg_attrdef def ON d.classid = 'pg_attrdef'::regclass AND def.oid = d.objid
    LEFT JOIN pg_attribute ga ON ga.attrelid = def.adrelid AND ga.attnum = def.adnum
    LEFT JOIN pg_attribute g ON g.attrelid = def.adrelid AND g.attnum = def.adnum AND ga.attgenerated <> ''
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%s) AND d.refobjsubid > 0
      AND d.deptype IN ('n', 'a') AND d.classid NOT IN ('pg_constraint'::regclass, 'pg_class'::regclass)
"""
_VIEW_KINDS = {"v": "view", "m": "materialised view"}


def table_facts(connection: Connection) -> dict[tuple[str, str], TableFacts]:
    """Read the facts of every user table in three queries."""
    facts: dict[tuple[str, str], TableFacts] = {}
    by_oid: dict[int, TableFacts] = {}
    for oid, schema, name, owned, may_create, children, inherited, partition_key, triggers in connection.execute(
        _TABLES
    ).fetchall():
        facts[schema, name] = by_oid[oid] = TableFacts(
            oid=oid,
            owned=owned,
            may_create=may_create,
            inherited_columns=frozenset(inherited),
            has_children=children,
            partition_key=frozenset(partition_key),
            user_triggers=tuple(triggers),
        )
    found: dict[tuple[int, str, int], set[str]] = defaultdict(set)
    kinds: dict[tuple[int, str, int], tuple[str, str]] = {}
    for row in connection.execute(_DEPENDANTS, (list(by_oid),)).fetchall():
        table, column = row[0], row[1]
        if row[13]:  # the expression of a generated column
            if row[12] != column:
                by_oid[table].generated_from.setdefault(row[12], set()).add(column)
            continue
        named = _name_dependant(row)
        if named is None:
            continue
        kind, name, oid = named
        found[table, kind, oid].add(column)
        kinds[table, kind, oid] = (kind, name)
    for (table, _kind, oid), columns in found.items():
        kind, name = kinds[table, _kind, oid]
        by_oid[table].dependants.append(Dependant(kind=kind, name=name, oid=oid, columns=frozenset(columns)))
    return facts


def _name_dependant(row: Sequence[Any]) -> tuple[str, str, int] | None:
    class_name, oid, view_kind = row[2], row[3], row[6]
    if class_name in {"pg_statistic_ext", "pg_attrdef"} or (row[9] or "").startswith("zz_kuimen_"):
        return None  # goes with the column
    named: dict[str, tuple[str, str, int]] = {
        "pg_rewrite": (_VIEW_KINDS.get(view_kind, "rule"), row[8], row[7]),
        "pg_trigger": ("trigger", row[9], oid),
        "pg_policy": ("policy", row[10], oid),
        "pg_proc": ("function", row[11], oid),
        "pg_publication_rel": ("publication", "column list", oid),
    }
    return named.get(str(class_name), ("other", str(class_name), int(oid)))


def leaves_of(connection: Connection, oid: int) -> list[tuple[str, str]]:
    """Return (schema, name) of the tables that hold a table's rows: itself, or its partitions."""
    rows = connection.execute(
        """
        SELECT n.nspname, c.relname FROM pg_partition_tree(%(oid)s) t JOIN pg_class c ON c.oid = t.relid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.isleaf AND c.relkind = 'r'
        UNION
        SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = %(oid)s AND c.relkind = 'r' ORDER BY 1, 2
        """,
        {"oid": oid},
    ).fetchall()
    return [(schema, name) for schema, name in rows]


def columns_of(connection: Connection, schema: str, table: str) -> dict[str, tuple[str, str | None]]:
    """Return the live columns of a table: name to (type, comment); empty when the table is gone."""
    rows = connection.execute(
        """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
        """,
        (schema, table),
    ).fetchall()
    return {name: (type_name, comment) for name, type_name, comment in rows}
