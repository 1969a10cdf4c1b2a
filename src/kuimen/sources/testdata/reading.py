"""Whole tables as batches of texts, of a database in one snapshot or of CSV files; read twice, so nothing is kept."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Protocol, Self

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv
from typing_extensions import override

from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.postgresql import connect
from kuimen.sources.relations import RelationInfo
from kuimen.sources.testdata.errors import TestDataSourceError
from kuimen.sources.textfiles import csv_shape, shape_of

BLOCK_BYTES: Final = 16 << 20
_SETTINGS: Final = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "row_security": "off",
    "lock_timeout": "15000",
    "statement_timeout": "0",
    "search_path": "pg_catalog",
}

Batch = Mapping[str, pa.Array]


class Reader(Protocol):
    """Reads tables to their end, the same rows in the same order every time."""

    def batches(self, relation: RelationInfo, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield batches of these columns as texts, null where there is nothing."""
        ...


def settle(connection: psycopg.Connection[Any]) -> None:
    """Make the text forms of values independent of who asks."""
    for name, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))


class DatabaseReader(Reader):
    """Reads one database in one read-only snapshot."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        """Connect.

        Raises:
            SourceUnavailableError: it does not answer.
        """
        self._stack = ExitStack()
        self.connection = self._stack.enter_context(connect(parameters, application="kuimen testdata"))
        settle(self.connection)
        self.connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        self.connection.read_only = True
        self._stack.enter_context(self.connection.transaction())

    @override
    def batches(self, relation: RelationInfo, columns: Sequence[str]) -> Iterator[Batch]:
        yield from table_batches(self.connection, relation, columns)

    def enums(self) -> list[str]:
        """Return the enumeration types as columns may name them: with and without schema."""
        rows = self.connection.execute(
            "SELECT t.typname, format_type(t.oid, NULL) FROM pg_catalog.pg_type t WHERE t.typtype = 'e'"
        ).fetchall()
        return [str(name) for row in rows for name in row]

    def close(self) -> None:
        """Give the snapshot back."""
        self._stack.close()

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def table_batches(
    connection: psycopg.Connection[Any], relation: RelationInfo, columns: Sequence[str]
) -> Iterator[Batch]:
    """Yield a table as batches of texts.

    Raises:
        RelationUnreadableError: the database stops in the middle; its text is withheld.
    """
    texts = sql.SQL(", ").join(_as_text(relation, name) for name in columns)
    table = sql.Identifier(relation.schema or "public", relation.name)
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT csv, FORCE_QUOTE *, ENCODING 'UTF8')")
    try:
        with connection.cursor() as cursor, cursor.copy(query.format(texts, table)) as copy:
            stream = io.BufferedReader(_CopyStream(copy), 1 << 20)
            yield from _csv_batches(stream, columns, delimiter=",", nulls=True)
    except psycopg.Error as error:
        raise RelationUnreadableError(f"database error {error.sqlstate}: {relation.name} is not read whole") from None


def _as_text(relation: RelationInfo, name: str) -> sql.Composed:
    form = "host({})" if relation.column(name).type == "inet" else "{}::text"
    return sql.SQL(form).format(sql.Identifier(name))


class _CopyStream(io.RawIOBase):
    """The bytes of a COPY as a file."""

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy = copy
        self._rest: bytes = b""

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = bytes(self._copy.read())
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


class FolderReader(Reader):
    """Reads the CSV files of a folder, or one file."""

    def __init__(self, root: Path) -> None:
        """Point at a folder or a file."""
        self.root = root.resolve()

    @override
    def batches(self, relation: RelationInfo, columns: Sequence[str]) -> Iterator[Batch]:
        path = self.root if self.root.is_file() else self.root / relation.name
        yield from file_batches(path, columns)


def file_batches(path: Path, columns: Sequence[str]) -> Iterator[Batch]:
    """Yield a CSV file as batches of texts; empty cells are empty texts.

    Raises:
        TestDataSourceError: it is no text, inside an archive, or its rows are not all as wide as its header.
    """
    shape = shape_of(path) if path.is_file() else None
    if shape is None or shape.damaged:
        raise TestDataSourceError(f"{path.name}: no undamaged text file outside of archives; unpack or repair it")
    table = csv_shape(path, shape)
    with pa.input_stream(str(path), compression="gzip" if shape.compressed else None) as stream:
        for batch in _csv_batches(
            stream, table.columns, delimiter=table.delimiter, encoding=shape.encoding, skip=int(table.has_header)
        ):
            yield {name: batch[name] for name in columns}


def _csv_batches(
    stream: Any,  # noqa: ANN401 - a file of Python or of Arrow
    columns: Sequence[str],
    *,
    delimiter: str,
    encoding: str = "utf8",
    skip: int = 0,
    nulls: bool = False,
) -> Iterator[Batch]:
    encoding = {"utf-8": "utf8", "utf-8-sig": "utf8"}.get(encoding, encoding)
    try:
        reader = csv.open_csv(
            stream,
            read_options=csv.ReadOptions(
                column_names=list(columns), skip_rows=skip, block_size=BLOCK_BYTES, encoding=encoding
            ),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=len(columns) > 1
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=nulls,
                quoted_strings_can_be_null=False,
                null_values=[""] if nulls else [],
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise TestDataSourceError("csv: its rows are not all as wide as its header; repair it first") from None
    with reader:
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except pa.ArrowInvalid:
                raise TestDataSourceError("csv: its rows are not all as wide as its header; repair it first") from None
            if batch.num_rows:
                yield dict(zip(columns, batch.columns, strict=True))
