"""Where test data go: a database in one transaction, or CSV files that get their names only after the proof."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Final, LiteralString, Protocol, Self

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv
from typing_extensions import override

from kuimen.sources.postgresql import connect
from kuimen.sources.testdata.errors import TestDataTargetError
from kuimen.sources.testdata.planning import PlannedTable
from kuimen.sources.testdata.reading import Batch, file_batches, settle, table_batches

_PARTIAL: Final = ".part"
_ENUMS: LiteralString = """
    SELECT n.nspname, t.typname, array_agg(e.enumlabel ORDER BY e.enumsortorder)::text[]
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid GROUP BY 1, 2 ORDER BY 1, 2
"""
_COLUMNS: LiteralString = """
    SELECT a.attname, format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid),
           CASE WHEN t.typbasetype = 0 THEN a.atttypmod ELSE t.typtypmod END),
           a.attnotnull, a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid), a.attidentity <> ''
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_CONSTRAINTS: LiteralString = """
    SELECT conname, contype::text, pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint
    WHERE conrelid = to_regclass(%s) AND contype IN ('p', 'u', 'c', 'f') AND conparentid = 0
    ORDER BY array_position(ARRAY['p', 'u', 'c', 'f'], contype::text), conname
"""

Connection = psycopg.Connection[Any]


class Target(Protocol):
    """Takes tables, gives them back for the proof, and keeps or takes back everything at the end."""

    label: str

    def create(self, table: PlannedTable) -> None:
        """Make room for a table."""
        ...

    def write(self, table: PlannedTable, batches: Iterator[Batch]) -> int:
        """Write a table and return its rows."""
        ...

    def finish(self, tables: Sequence[PlannedTable]) -> list[str]:
        """Put keys and rules back on; return those that what was made does not keep."""
        ...

    def read(self, table: PlannedTable) -> Iterator[Batch]:
        """Read a table as it stands there."""
        ...

    def keep(self) -> None:
        """Hand everything over; without this call nothing stays."""
        ...


def _as_csv(batch: Batch, *, header: bool) -> bytes:
    stream = io.BytesIO()
    csv.write_csv(pa.table(dict(batch)), stream, csv.WriteOptions(include_header=header))
    return stream.getvalue()


class FolderTarget(Target):
    """A folder that is empty or does not exist yet."""

    def __init__(self, folder: Path) -> None:
        """Make the folder, for its owner alone.

        Raises:
            TestDataTargetError: something lies in it, or it cannot be made.
        """
        self.label = folder.name
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise TestDataTargetError("to: the folder is not empty; name another one")
        except OSError:
            raise TestDataTargetError("to: the folder cannot be made or read; check path and mode") from None
        self._written: list[tuple[Path, Path]] = []
        self._kept = False

    @override
    def create(self, table: PlannedTable) -> None:
        return

    @override
    def write(self, table: PlannedTable, batches: Iterator[Batch]) -> int:
        name = table.name if table.relation.is_file else f"{table.name}.csv"
        final = self._folder / name.removesuffix(".gz")
        partial = final.with_name(final.name + _PARTIAL)
        self._written.append((partial, final))
        rows = 0
        try:
            final.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with partial.open("xb") as file:
                partial.chmod(0o600)
                for number, batch in enumerate(batches):
                    file.write(_as_csv(batch, header=number == 0))
                    rows += len(next(iter(batch.values())))
                if not rows:
                    _write_header(file, table)
        except OSError:
            raise TestDataTargetError(f"to: {name} cannot be written; free space or check the mode") from None
        return rows

    @override
    def finish(self, tables: Sequence[PlannedTable]) -> list[str]:
        return []

    @override
    def read(self, table: PlannedTable) -> Iterator[Batch]:
        name = table.name if table.relation.is_file else f"{table.name}.csv"
        yield from file_batches(
            self._folder / (name.removesuffix(".gz") + _PARTIAL), [column.name for column in table.spec.columns]
        )

    @override
    def keep(self) -> None:
        for partial, final in self._written:
            partial.rename(final)
        self._kept = True

    def __enter__(self) -> Self:
        """Return the target."""
        return self

    def __exit__(self, *_: object) -> None:
        """Take back what was not kept."""
        for partial, _final in [] if self._kept else self._written:
            partial.unlink(missing_ok=True)


def _write_header(file: IO[bytes], table: PlannedTable) -> None:
    names = [column.name for column in table.spec.columns]
    file.write(_as_csv({name: pa.nulls(0, pa.string()) for name in names}, header=True))


class DatabaseTarget(Target):
    """A PostgreSQL database without tables of these names; one transaction, committed after the proof."""

    def __init__(self, parameters: Mapping[str, str], *, source: Connection | None, label: str) -> None:
        """Connect.

        Args:
            parameters: of the target.
            source: the source's connection, whose catalogue describes the tables; None for CSV files.
            label: name of the target.

        Raises:
            SourceUnavailableError: it does not answer.
            TestDataTargetError: it is the source itself.
        """
        self.label = label
        self._source = source
        self._stack = ExitStack()
        self._connection = self._stack.enter_context(connect(parameters, application="kuimen testdata"))
        if source is not None and _identity(source) == _identity(self._connection):
            self._stack.close()
            raise TestDataTargetError("to: this is the source itself; name a test database")
        settle(self._connection)
        self._transaction = self._connection.transaction(force_rollback=False)
        self._transaction.__enter__()
        self._enums_made = False

    @override
    def create(self, table: PlannedTable) -> None:
        schema, name = _place(table)
        with _Translated(table.name):
            if self._connection.execute(
                "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = %s", (schema, name)
            ).fetchone():
                raise TestDataTargetError(f"to: {table.name} stands there already; name an empty database")
            self._connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            self._make_enums()
            columns = sql.SQL(", ").join(self._definitions(table))
            self._connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(schema, name), columns))

    def _make_enums(self) -> None:
        if self._enums_made or self._source is None:
            return
        self._enums_made = True
        for schema, name, labels in self._source.execute(_ENUMS).fetchall():
            self._connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
            self._connection.execute(
                sql.SQL("CREATE TYPE {} AS ENUM ({})").format(
                    sql.Identifier(schema, name), sql.SQL(", ").join(map(sql.Literal, labels))
                )
            )

    def _definitions(self, table: PlannedTable) -> Iterator[sql.Composable]:
        if self._source is None:
            for column in table.spec.columns:
                yield sql.SQL("{} text").format(sql.Identifier(column.name))
            return
        for name, kind, not_null, generated, expression, identity in self._source.execute(
            _COLUMNS, (_qualified(self._source, table),)
        ).fetchall():
            parts: list[sql.Composable] = [sql.Identifier(name), _verbatim(kind)]
            if generated:
                parts += [sql.SQL("GENERATED ALWAYS AS ("), _verbatim(expression), sql.SQL(") STORED")]
            elif identity or str(expression or "").startswith("nextval("):
                parts.append(sql.SQL("GENERATED BY DEFAULT AS IDENTITY"))
            if not_null:
                parts.append(sql.SQL("NOT NULL"))
            yield sql.SQL(" ").join(parts)

    @override
    def write(self, table: PlannedTable, batches: Iterator[Batch]) -> int:
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.spec.columns)
        query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, ENCODING 'UTF8')")
        rows = 0
        with _Translated(table.name), self._connection.cursor() as cursor:
            with cursor.copy(query.format(sql.Identifier(*_place(table)), names)) as copy:
                for batch in batches:
                    copy.write(_as_csv(batch, header=False))
                    rows += len(next(iter(batch.values())))
            return rows

    @override
    def finish(self, tables: Sequence[PlannedTable]) -> list[str]:
        if self._source is None:
            return []
        broken: list[str] = []
        found = [
            (kind, table, name, text)
            for table in tables
            for name, kind, text in self._source.execute(_CONSTRAINTS, (_qualified(self._source, table),)).fetchall()
        ]
        for kind, table, name, text in sorted(found, key=lambda one: "pucf".index(one[0])):
            statement = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                sql.Identifier(*_place(table)), sql.Identifier(name), _verbatim(text)
            )
            try:
                with self._connection.transaction():
                    self._connection.execute(statement)
            except psycopg.Error:
                if kind in "pu":
                    raise TestDataTargetError(
                        f"to: what is made of {table.name} does not keep {name}; name a treatment for its columns"
                    ) from None
                broken.append(f"{table.name}: {name}")
        for table in tables:
            self._advance_identities(table)
        return broken

    def _advance_identities(self, table: PlannedTable) -> None:
        place = sql.Identifier(*_place(table))
        for (name,) in self._connection.execute(
            "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = to_regclass(%s) AND attidentity <> ''",
            (_qualified(self._connection, table),),
        ).fetchall():
            self._connection.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({}, {}), coalesce(max({}), 0) + 1, false) FROM {}"
                ).format(
                    sql.Literal(_qualified(self._connection, table)), sql.Literal(name), sql.Identifier(name), place
                )
            )

    @override
    def read(self, table: PlannedTable) -> Iterator[Batch]:
        schema, name = _place(table)
        relation = table.relation
        if relation.schema is None:
            relation = replace(relation, schema=schema, name=name)
        yield from table_batches(self._connection, relation, [column.name for column in table.spec.columns])

    @override
    def keep(self) -> None:
        with _Translated(self.label):
            self._transaction.__exit__(None, None, None)
        self._stack.close()

    def __enter__(self) -> Self:
        """Return the target."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close; what was not kept is rolled back with the connection."""
        self._connection.close()


def _place(table: PlannedTable) -> tuple[str, str]:
    if table.relation.schema is not None:
        return table.relation.schema, table.relation.name
    return "public", Path(table.relation.name).name.split(".")[0]


def _qualified(connection: Connection, table: PlannedTable) -> str:
    return sql.Identifier(*_place(table)).as_string(connection)


def _verbatim(text: str) -> sql.Composable:
    """Return what the source's own catalogue printed as SQL: a type, an expression, a constraint."""
    return _Verbatim(text)


class _Verbatim(sql.Composable):
    @override
    def as_bytes(self, context: Any = None) -> bytes:
        return str(self._obj).encode()


def _identity(connection: Connection) -> tuple[object, ...]:
    row = connection.execute(
        "SELECT current_database(), pg_catalog.pg_postmaster_start_time(), inet_server_port()"
    ).fetchone()
    return tuple(row or ())


class _Translated:
    """Turns driver errors into ours, without their text: it may quote a row."""

    def __init__(self, place: str) -> None:
        self._place = place

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """Translate."""
        if isinstance(error, psycopg.Error):
            column = getattr(error.diag, "column_name", None) or ""
            raise TestDataTargetError(
                f"to: {self._place}{'.' if column else ''}{column} is refused by the database ({error.sqlstate}); "
                "name a treatment for the column, or give the role the rights"
            ) from None
