"""A lender's MySQL or MariaDB, read in read-only sessions that block nobody.

InnoDB reads its rows without locks; every statement has a time-out of the server and every wait for a lock is short.
"""

import ssl
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

import pymysql
from pymysql.constants import CR, ER
from typing_extensions import override

from kuimen.sources.encodings import decode_lenient
from kuimen.sources.errors import (
    RelationGoneError,
    RelationUnreadableError,
    SourceLocationError,
    SourceUnavailableError,
)
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

SCHEMES = ("mysql://", "mariadb://")
VALUE_CHARACTERS = 4096
_PORT = 3306
_SEED = 20240612
_CHEAP_BYTES = 64 * 1024 * 1024
_STRATA = 16
_LEAST_VALUES = 20
_SPATIAL = frozenset(
    {
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
    }
)
_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_BYTES = ("blob", "binary", "varbinary", "tinyblob", "mediumblob", "longblob")
_TOO_SLOW = frozenset({3024, 1969, ER.QUERY_INTERRUPTED, CR.CR_SERVER_LOST})
_LOCKED = frozenset({ER.LOCK_WAIT_TIMEOUT, ER.LOCK_DEADLOCK, 3572})
_GONE = frozenset({ER.NO_SUCH_TABLE, ER.BAD_DB_ERROR, ER.BAD_TABLE_ERROR, 1932, 1412})
_FORBIDDEN = frozenset(
    {ER.TABLEACCESS_DENIED_ERROR, ER.COLUMNACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, 1227, 1356}
)
_SYSTEM = ("mysql", "information_schema", "performance_schema", "sys")

_RELATIONS = """
    SELECT table_schema, table_name, table_type, coalesce(table_rows, -1), coalesce(data_length, 0), table_comment
    FROM information_schema.tables
    WHERE table_schema NOT IN %s AND (%s IS NULL OR table_schema = %s) ORDER BY table_schema, table_name
"""
_COLUMNS = """
    SELECT table_schema, table_name, column_name, column_type, column_comment, is_nullable, extra, privileges
    FROM information_schema.columns
    WHERE table_schema NOT IN %s AND (%s IS NULL OR table_schema = %s)
    ORDER BY table_schema, table_name, ordinal_position
"""
_KEYS = """
    SELECT c.table_schema, c.table_name, c.constraint_name, c.constraint_type, u.column_name,
           u.referenced_table_schema, u.referenced_table_name, u.referenced_column_name
    FROM information_schema.table_constraints c JOIN information_schema.key_column_usage u
      ON u.constraint_schema = c.constraint_schema AND u.constraint_name = c.constraint_name
     AND u.table_schema = c.table_schema AND u.table_name = c.table_name
    WHERE c.table_schema NOT IN %s AND (%s IS NULL OR c.table_schema = %s)
      AND c.constraint_type IN ('PRIMARY KEY', 'UNIQUE', 'FOREIGN KEY')
    ORDER BY c.table_schema, c.table_name, c.constraint_name, u.ordinal_position
"""


def is_mysql(location: str) -> bool:
    """Tell a MySQL address from others."""
    return location.startswith(SCHEMES)


def mysql_parameters(location: str, credentials: Mapping[str, str]) -> dict[str, str]:
    """Return host, port, user, password, database, unix_socket, ssl-ca of an address and a credentials file.

    Raises:
        SourceLocationError: the address cannot be parsed. Its text is not repeated: it may hold a password.
    """
    try:
        parts = urlsplit(location)
        chosen = {
            "host": parts.hostname or "",
            "port": str(parts.port or ""),
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "database": unquote(parts.path.strip("/")),
        }
        chosen |= {name: values[-1] for name, values in parse_qs(parts.query).items()}
    except ValueError:
        raise SourceLocationError("source: not a valid MySQL address; write mysql://USER@HOST:PORT/DATABASE") from None
    unknown = set(chosen) - {"host", "port", "user", "password", "database", "unix_socket", "ssl-ca"}
    if unknown:
        raise SourceLocationError("source: of a MySQL address only unix_socket and ssl-ca may stand behind the ?")
    return {name: text for name, text in {**chosen, **credentials}.items() if text}


def label_of(parameters: Mapping[str, str]) -> str:
    """Return `host[:port]/database` without user or password."""
    host = "local" if "unix_socket" in parameters else parameters.get("host", "localhost")
    port = parameters.get("port", str(_PORT))
    return f"{host if port == str(_PORT) else f'{host}:{port}'}/{parameters.get('database', '')}".rstrip("/")


class MySQLSource(Source):
    """Reads one database, or all that the account may see, statement by statement, outside any transaction."""

    def __init__(
        self, parameters: Mapping[str, str], *, statement_timeout_ms: int = 30_000, lock_timeout_s: int = 2
    ) -> None:
        """Connect; raises SourceUnavailableError."""
        self._label = label_of(parameters)
        self._database = parameters.get("database")
        self._timeout_ms = statement_timeout_ms
        tls: dict[str, Any] = {}
        if "ssl-ca" in parameters:
            tls["ssl"] = ssl.create_default_context(cafile=parameters["ssl-ca"])
        try:
            self._connection = pymysql.connect(
                host=parameters.get("host", "localhost"),
                port=int(parameters.get("port", _PORT)),
                unix_socket=parameters.get("unix_socket"),
                user=parameters.get("user"),
                password=parameters.get("password", ""),
                database=self._database,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=10,
                read_timeout=statement_timeout_ms / 1000 + 10,
                program_name="kuimen scan",
                local_infile=False,
                **tls,
            )
            self._settle(lock_timeout_s)
        except (pymysql.Error, OSError, ValueError) as error:
            code = error.args[0] if error.args and isinstance(error.args[0], int) else "no answer"
            raise SourceUnavailableError(
                f"source: the database refuses the connection ({code}); check address, account, password and grants"
            ) from None

    def _settle(self, lock_timeout_s: int) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT version()")
            row = cursor.fetchone()
            self._mariadb = "mariadb" in str(row and row[0]).lower()
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            cursor.execute("SET SESSION lock_wait_timeout = %s", (lock_timeout_s,))
            cursor.execute("SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'")
            if self._mariadb:
                cursor.execute("SET SESSION max_statement_time = %s", (self._timeout_ms / 1000,))
            else:
                cursor.execute("SET SESSION max_execution_time = %s", (self._timeout_ms,))

    @property
    @override
    def label(self) -> str:
        return self._label

    @property
    @override
    def fingerprint(self) -> str:
        try:
            row = self._rows("SELECT @@hostname, @@port, @@datadir")[0]
        except pymysql.Error:
            return f"mysql:{self._label}"
        return f"mysql:{row[0]}:{row[1]}:{row[2]}/{self._database or ''}"

    def _rows(self, statement: str, arguments: Sequence[object] | None = None) -> Sequence[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return rows

    @override
    def describe(self) -> list[RelationInfo]:
        chosen = (_SYSTEM, self._database, self._database)
        try:
            relations = self._rows(_RELATIONS, chosen)
            columns, keys = self._rows(_COLUMNS, chosen), self._rows(_KEYS, chosen)
        except (pymysql.Error, OSError) as error:
            code = error.args[0] if error.args else "no answer"
            raise SourceUnavailableError(f"source: its catalogue cannot be read ({code})") from None
        by_relation: dict[tuple[str, str], list[ColumnInfo]] = defaultdict(list)
        for schema, table, name, kind, comment, nullable, extra, privileges in columns:
            if "select" not in str(privileges).lower():
                continue  # named nowhere else: the catalogue hides most of what an account may not read
            by_relation[schema, table].append(
                ColumnInfo(
                    name=name,
                    type=decoded(kind),
                    comment=comment or None,
                    nullable=nullable == "YES",
                    generated="GENERATED" in str(extra).upper().replace("DEFAULT_GENERATED", ""),
                )
            )
        found = []
        for schema, table, kind, rows, size, comment in relations:
            own = [key for key in keys if key[:2] == (schema, table)]
            info = RelationInfo(
                schema=schema,
                name=table,
                kind=RelationKind.VIEW if "VIEW" in kind else RelationKind.TABLE,
                columns=tuple(by_relation[schema, table]),
                unique_keys=_unique_keys(own),
                foreign_keys=_foreign_keys(own),
                approx_rows=int(rows),
                size_bytes=int(size),
                comment=comment or None,
                rewritable=False,
            )
            if info.kind is RelationKind.VIEW:
                info = replace(info, reason="a view holds no data of its own; the tables below it are read")
            elif not info.columns:
                reason = "permission: this account may not read the table"
                info = replace(info, kind=RelationKind.UNREAD, reason=reason, missed=True)
            found.append(info)
        return found

    @override
    def sample(self, relation: RelationInfo, n: int) -> Sample:
        try:
            return self._sample(relation, n)
        except (pymysql.Error, OSError) as error:
            raise _translated(error) from None

    def _sample(self, relation: RelationInfo, n: int) -> Sample:
        table = _table(relation)
        rows, exact = relation.approx_rows, False
        small = relation.size_bytes <= _CHEAP_BYTES
        if small:
            rows, exact = int(self._rows(_joined("SELECT count(*) FROM", table))[0][0]), True
        names = [column.name for column in relation.columns]
        values: dict[str, list[str]] = {name: [] for name in names}
        n_null: dict[str, int] = dict.fromkeys(names, 0)
        seen = 0
        for condition in self._strata(relation, n, rows, small=small):
            statement = _joined("SELECT", ", ".join(map(_as_text, relation.columns)), "FROM", table, condition)
            for row in self._rows(statement):
                seen += 1
                for name, value in zip(names, row, strict=True):
                    if value is None:
                        n_null[name] += 1
                    else:
                        values[name].append(decoded(value))
        values = {name: spread(taken, n) for name, taken in values.items()}
        problems: list[Problem] = []
        if seen < rows:
            self._fill_sparse(relation, values, n, problems)
        return Sample(values=values, rows=rows, exact=exact, sampled=seen, n_null=n_null, problems=problems)

    def _strata(self, relation: RelationInfo, n: int, rows: int, *, small: bool) -> list[str]:
        """Return what follows FROM: everything, a seeded share of a small table, or runs of a large one's key."""
        wanted = n * 4
        if rows <= wanted * 2:
            return [_joined("LIMIT", str(n * 8))]
        if small:
            share = min(1.0, wanted / rows)
            return [_joined("WHERE rand(" + str(_SEED) + ") <", str(round(share, 6)), "LIMIT", str(n * 8))]
        key = relation.primary_key
        if len(key) != 1 or not relation.column(key[0]).type.startswith(_INTEGERS):
            return [_joined("LIMIT", str(wanted))]
        name = _quoted(key[0])
        first, last = self._rows(_joined("SELECT min(", name, "), max(", name, ") FROM", _table(relation)))[0]
        step = max(1, (int(last) - int(first)) // _STRATA)
        return [
            _joined("WHERE", name, ">=", str(start), "ORDER BY", name, "LIMIT", str(max(1, wanted // _STRATA)))
            for start in range(int(first), int(last) + 1, step)
        ][: _STRATA + 1]

    def _fill_sparse(
        self, relation: RelationInfo, values: dict[str, list[str]], n: int, problems: list[Problem]
    ) -> None:
        """Look for non-null values of columns that are almost empty in the sample; slow ones are named."""
        for column in relation.columns:
            taken = values[column.name]
            if len(taken) >= min(n, _LEAST_VALUES):
                continue
            condition = _joined("WHERE", _quoted(column.name), "IS NOT NULL LIMIT", str(n))
            try:
                found = self._rows(_joined("SELECT", _as_text(column), "FROM", _table(relation), condition))
            except pymysql.Error as error:
                if error.args[0] not in _TOO_SLOW:
                    raise
                reason = f"time-out: {column.name} is almost empty and was not searched to its end"
                problems.append(Problem(line=0, reason=reason))
                if error.args[0] == CR.CR_SERVER_LOST:
                    return
                continue
            if len(found) > len(taken):
                taken[:] = [decoded(row[0]) for row in found if row[0] is not None]

    @override
    def close(self) -> None:
        if self._connection.open:
            self._connection.close()

    @override
    def __enter__(self) -> Self:
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def decoded(value: object) -> str:
    """Return what the driver gave as text."""
    return decode_lenient(bytes(value)) if isinstance(value, bytes | bytearray) else str(value)


def _translated(error: pymysql.Error | OSError) -> Exception:
    code = error.args[0] if error.args else 0
    if code in _TOO_SLOW:
        return RelationUnreadableError("time-out: the table answers too slowly")
    if code in _LOCKED:
        return RelationUnreadableError("lock: another session holds the table; scan again")
    if code in _GONE:
        return RelationGoneError("gone: the table vanished during the scan")
    if code in _FORBIDDEN:
        return RelationUnreadableError("permission: reading is forbidden")
    return RelationUnreadableError(f"database error {code}: the table cannot be read")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _table(relation: RelationInfo) -> str:
    return _quoted(relation.schema or "") + "." + _quoted(relation.name)


def _joined(*parts: str) -> str:
    return " ".join(parts)


def _as_text(column: ColumnInfo) -> str:
    name = _quoted(column.name)
    kind = column.type.split("(")[0].lower()
    if kind in _BYTES:
        return "substring(" + name + ", 1, 2048)"
    if kind in _SPATIAL:
        return "left(ST_AsText(" + name + "), " + str(VALUE_CHARACTERS) + ")"
    if kind == "bit":
        return "hex(" + name + ")"
    return "left(cast(" + name + " AS char), " + str(VALUE_CHARACTERS) + ")"


def _unique_keys(keys: Sequence[tuple[Any, ...]]) -> tuple[UniqueKey, ...]:
    grouped: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for _, _, name, kind, column, *_ in keys:
        if kind != "FOREIGN KEY":
            grouped[name, kind == "PRIMARY KEY"].append(column)
    return tuple(UniqueKey(name=name, columns=tuple(own), primary=primary) for (name, primary), own in grouped.items())


def _foreign_keys(keys: Sequence[tuple[Any, ...]]) -> tuple[ForeignKey, ...]:
    grouped: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for _, _, name, kind, column, schema, table, target in keys:
        if kind == "FOREIGN KEY":
            grouped[name, schema, table].append((column, target))
    return tuple(
        ForeignKey(
            name=name,
            columns=tuple(own for own, _ in pairs),
            target_schema=schema,
            target_table=table,
            target_columns=tuple(target for _, target in pairs),
        )
        for (name, schema, table), pairs in grouped.items()
    )
