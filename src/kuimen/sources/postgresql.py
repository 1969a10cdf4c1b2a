"""A lender's PostgreSQL, read in read-only transactions that block nobody."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql
from typing_extensions import override

from kuimen.sources.encodings import decode_lenient
from kuimen.sources.errors import RelationGoneError, RelationUnreadableError, SourceUnavailableError
from kuimen.sources.quoting import QuotingCursor
from kuimen.sources.relations import (
    ColumnInfo,
    ForeignKey,
    Problem,
    RelationInfo,
    RelationKind,
    Sample,
    Source,
    UniqueKey,
)
from kuimen.sources.sampling import spread

VALUE_CHARACTERS = 4096
_ARRAY_SEPARATOR = "\x1f"
_SEED = 20240612
_CHEAP_BYTES = 64 * 1024 * 1024
_KINDS = {
    "r": RelationKind.TABLE,
    "p": RelationKind.PARTITIONED,
    "m": RelationKind.MATERIALISED,
    "v": RelationKind.VIEW,
    "f": RelationKind.FOREIGN,
}
_REASONS = {
    RelationKind.VIEW: "a view holds no data of its own; the tables below it are read",
    RelationKind.FOREIGN: "foreign table: the data lies on another server; scan that server",
}

_RELATIONS: LiteralString = """
    SELECT c.oid, n.nspname, c.relname, c.relkind::text, obj_description(c.oid, 'pg_class'), known.rows, known.bytes,
           has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    -- counters and the catalogue only: a function that asks for a size would wait for a locked table
    CROSS JOIN LATERAL (
        WITH RECURSIVE part(oid) AS (
            SELECT c.oid UNION ALL SELECT i.inhrelid FROM pg_inherits i JOIN part ON i.inhparent = part.oid
            WHERE c.relkind = 'p'
        )
        SELECT coalesce(sum(greatest(l.reltuples, pg_stat_get_live_tuples(l.oid), 0)), 0) AS rows,
               coalesce(sum(greatest(l.relpages::bigint * current_setting('block_size')::int,
                                     pg_stat_get_live_tuples(l.oid) * 120)), 0) AS bytes
        FROM part JOIN pg_class l ON l.oid = part.oid WHERE l.relkind IN ('r', 'm')
    ) known
    WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
    ORDER BY n.nspname, c.relname
"""
_COLUMNS: LiteralString = """
    SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), col_description(a.attrelid, a.attnum),
           NOT a.attnotnull, a.attgenerated <> '', s.n_distinct, t.typcategory::text,
           has_column_privilege(a.attrelid, a.attnum, 'SELECT')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
                        AND s.inherited = (c.relkind = 'p')
    WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum
"""
_CONSTRAINTS: LiteralString = """
    SELECT k.conrelid, k.conname, k.contype::text, fn.nspname, fc.relname,
           (SELECT array_agg(a.attname ORDER BY u.i) FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
            JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n)::text[],
           (SELECT array_agg(a.attname ORDER BY u.i) FROM unnest(k.confkey) WITH ORDINALITY u(n, i)
            JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n)::text[]
    FROM pg_constraint k LEFT JOIN pg_class fc ON fc.oid = k.confrelid
    LEFT JOIN pg_namespace fn ON fn.oid = fc.relnamespace
    WHERE k.conrelid = ANY(%s) AND k.contype IN ('p', 'u', 'f') ORDER BY k.conrelid, k.conname
"""


def connect(parameters: Mapping[str, str], *, application: str = "kuimen") -> psycopg.Connection[tuple[Any, ...]]:
    """Open an autocommit connection to a source.

    Raises:
        SourceUnavailableError: refused or no answer within ten seconds; the driver's text is withheld.
    """
    chosen: dict[str, Any] = {"connect_timeout": 10, **parameters, "application_name": application}
    try:
        connection = psycopg.connect(autocommit=True, cursor_factory=QuotingCursor, **chosen)
        if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            connection.execute("SET client_encoding = 'SQL_ASCII'")
        else:
            connection.execute("SET client_encoding = 'UTF8'")
    except psycopg.Error as error:
        state = error.sqlstate or "no answer"
        raise SourceUnavailableError(
            f"source: the database refuses the connection ({state}); check address, role, password and pg_hba"
        ) from None
    return connection


def label_of(parameters: Mapping[str, str]) -> str:
    """Return `host[:port]/database` of libpq parameters, without user or password."""
    host = parameters.get("host") or parameters.get("hostaddr") or "local"
    if host.startswith(("/", "@")):
        host = "local"
    port = parameters.get("port", "5432")
    shown = host if port == "5432" else f"{host}:{port}"
    return f"{shown}/{parameters.get('dbname') or parameters.get('user') or 'postgres'}"


class PostgresSource(Source):
    """Reads one database; every statement runs read-only with time-outs for itself and for locks."""

    def __init__(
        self,
        parameters: Mapping[str, str],
        *,
        statement_timeout_ms: int = 30_000,
        lock_timeout_ms: int = 2_000,
    ) -> None:
        """Connect; raises SourceUnavailableError."""
        self._label = label_of(parameters)
        self._connection = connect(parameters, application="kuimen scan")
        for name, value in (
            ("default_transaction_read_only", "on"),
            ("statement_timeout", str(statement_timeout_ms)),
            ("lock_timeout", str(lock_timeout_ms)),
            ("idle_in_transaction_session_timeout", "60000"),
            ("row_security", "off"),  # an error is honest, a silently filtered table is not
            ("max_parallel_workers_per_gather", "0"),
        ):
            self._connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        self._categories: dict[tuple[str | None, str], dict[str, str]] = {}
        self._unreadable: dict[tuple[str | None, str], frozenset[str]] = {}

    @property
    @override
    def label(self) -> str:
        return self._label

    @property
    @override
    def fingerprint(self) -> str:
        try:
            row = self._connection.execute(
                "SELECT system_identifier::text || '/' || current_database() FROM pg_control_system()"
            ).fetchone()
        except psycopg.Error:
            return self._label
        return str(row[0]) if row else self._label

    @override
    def describe(self) -> list[RelationInfo]:
        try:
            with self._connection.transaction():
                relations = self._connection.execute(_RELATIONS).fetchall()
                oids = [row[0] for row in relations]
                columns = self._connection.execute(_COLUMNS, (oids,)).fetchall()
                constraints = self._connection.execute(_CONSTRAINTS, (oids,)).fetchall()
        except psycopg.Error as error:
            raise SourceUnavailableError(f"source: its catalogue cannot be read ({error.sqlstate})") from None
        by_relation: dict[int, list[ColumnInfo]] = defaultdict(list)
        categories: dict[int, dict[str, str]] = defaultdict(dict)
        hidden: dict[int, set[str]] = defaultdict(set)
        for oid, name, type_name, comment, nullable, generated, n_distinct, category, readable in columns:
            by_relation[oid].append(
                ColumnInfo(
                    name=name,
                    type=type_name,
                    comment=comment,
                    nullable=nullable,
                    generated=generated,
                    n_distinct=n_distinct,
                )
            )
            categories[oid][name] = category
            if not readable:
                hidden[oid].add(name)
        found = []
        for oid, schema, name, kind, comment, rows, size, readable in relations:
            self._categories[schema, name] = categories[oid]
            self._unreadable[schema, name] = frozenset(hidden[oid])
            info = RelationInfo(
                schema=schema,
                name=name,
                kind=_KINDS[kind],
                columns=tuple(by_relation[oid]),
                unique_keys=_unique_keys(constraints, oid),
                foreign_keys=_foreign_keys(constraints, oid),
                approx_rows=int(rows),
                size_bytes=int(size),
                comment=comment,
                reason=_REASONS.get(_KINDS[kind]),
            )
            if not readable and info.reason is None:
                info = replace(info, kind=RelationKind.UNREAD, reason="permission: this role may not read the table")
            found.append(info)
        return found

    def notes(self) -> list[str]:
        """Name the places of this database that no scan of tables reaches."""
        notes = []
        try:
            row = self._connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
            if row and row[0]:
                notes.append(f"large objects: {row[0]} objects are not read")
        except psycopg.Error:
            notes.append("large objects: cannot be listed")
        return notes

    @override
    def sample(self, relation: RelationInfo, n: int) -> Sample:
        hidden = self._unreadable.get((relation.schema, relation.name), frozenset())
        columns = [column.name for column in relation.columns if column.name not in hidden]
        try:
            with self._connection.transaction():
                return self._sample(relation, columns, n)
        except pg_errors.QueryCanceled:
            raise RelationUnreadableError("time-out: the table answers too slowly") from None
        except pg_errors.LockNotAvailable:
            raise RelationUnreadableError("lock: another session holds the table; scan again") from None
        except (pg_errors.UndefinedTable, pg_errors.InvalidSchemaName):
            raise RelationGoneError("gone: the table vanished during the scan") from None
        except pg_errors.InsufficientPrivilege:
            raise RelationUnreadableError("permission: reading is forbidden or row security hides rows") from None
        except psycopg.Error as error:
            raise RelationUnreadableError(f"database error {error.sqlstate}: the table cannot be read") from None

    def _sample(self, relation: RelationInfo, columns: Sequence[str], n: int) -> Sample:
        table = _from(relation)
        rows, exact = relation.approx_rows, False
        if relation.size_bytes <= _CHEAP_BYTES:
            counted = self._connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
            rows, exact = (int(counted[0]) if counted else 0), True
        categories = self._categories.get((relation.schema, relation.name), {})
        texts = sql.SQL(", ").join(_as_text(name, relation, categories) for name in columns)
        method = _tablesample(rows, n, size=relation.size_bytes)
        found = self._connection.execute(
            sql.SQL("SELECT {} FROM {} {} LIMIT {}").format(texts, table, method, sql.Literal(n * 8))
        ).fetchall()
        values: dict[str, list[str]] = {name: [] for name in columns}
        n_null: dict[str, int] = dict.fromkeys(columns, 0)
        for row in found:
            for name, value in zip(columns, row, strict=True):
                if value is None:
                    n_null[name] += 1
                else:
                    values[name].extend(_split(value, categories.get(name)))
        values = {name: spread(taken, n) for name, taken in values.items()}
        problems: list[Problem] = []
        if len(found) < rows:
            self._fill_sparse(relation, values, n, problems)
        return Sample(values=values, rows=rows, exact=exact, sampled=len(found), n_null=n_null, problems=problems)

    def _fill_sparse(
        self, relation: RelationInfo, values: dict[str, list[str]], n: int, problems: list[Problem]
    ) -> None:
        """Look for non-null values of columns that are almost empty in the random sample; slow ones are named."""
        categories = self._categories.get((relation.schema, relation.name), {})
        for name, taken in values.items():
            if len(taken) >= min(n, 20):
                continue
            query = sql.SQL("SELECT {} FROM {} WHERE {} IS NOT NULL LIMIT {}").format(
                _as_text(name, relation, categories), _from(relation), sql.Identifier(name), sql.Literal(n)
            )
            try:
                with self._connection.transaction():  # a savepoint: what was sampled before is kept
                    found = self._connection.execute(query).fetchall()
            except pg_errors.QueryCanceled:
                reason = f"time-out: {name} is almost empty and was not searched to its end"
                problems.append(Problem(line=0, reason=reason))
                continue
            if len(found) > len(taken):
                taken[:] = [text for row in found for text in _split(row[0], categories.get(name))][:n]

    @override
    def close(self) -> None:
        self._connection.close()

    @override
    def __enter__(self) -> Self:
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _from(relation: RelationInfo) -> sql.Composed:
    name = sql.Identifier(relation.schema or "public", relation.name)
    # a plain parent's children are listed as tables of their own
    return sql.SQL("ONLY {}").format(name) if relation.kind is RelationKind.TABLE else sql.SQL("{}").format(name)


def _as_text(name: str, relation: RelationInfo, categories: Mapping[str, str]) -> sql.Composed:
    column = sql.Identifier(name)
    if relation.column(name).type == "bytea":
        return sql.SQL("encode(substring({} for 2048), 'escape')").format(column)
    if relation.column(name).type == "inet":
        return sql.SQL("host({})").format(column)
    if categories.get(name) == "A":
        return sql.SQL("left(array_to_string({}, {}), {})").format(
            column, sql.Literal(_ARRAY_SEPARATOR), sql.Literal(VALUE_CHARACTERS)
        )
    return sql.SQL("left({}::text, {})").format(column, sql.Literal(VALUE_CHARACTERS))


def _split(value: str | bytes, category: str | None) -> list[str]:
    text = value if isinstance(value, str) else decode_lenient(value)
    return text.split(_ARRAY_SEPARATOR) if category == "A" else [text]


def _tablesample(rows: int, n: int, *, size: int) -> sql.Composable:
    wanted = n * 4
    if rows <= wanted * 2:
        return sql.SQL("")
    percent = min(100.0, 100.0 * wanted / rows)
    method: LiteralString = "BERNOULLI" if size <= _CHEAP_BYTES else "SYSTEM"
    return sql.SQL("TABLESAMPLE {} ({}) REPEATABLE ({})").format(
        sql.SQL(method), sql.Literal(percent), sql.Literal(_SEED)
    )


def _unique_keys(constraints: Sequence[tuple[Any, ...]], oid: int) -> tuple[UniqueKey, ...]:
    return tuple(
        UniqueKey(name=name, columns=tuple(columns), primary=kind == "p")
        for relation, name, kind, _schema, _table, columns, _targets in constraints
        if relation == oid and kind in {"p", "u"}
    )


def _foreign_keys(constraints: Sequence[tuple[Any, ...]], oid: int) -> tuple[ForeignKey, ...]:
    return tuple(
        ForeignKey(
            name=name,
            columns=tuple(columns),
            target_schema=schema,
            target_table=table,
            target_columns=tuple(targets),
        )
        for relation, name, kind, schema, table, columns, targets in constraints
        if relation == oid and kind == "f"
    )
