"""Where a database server keeps its files, as far as this process can reach them."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from kuimen.governance.protection.session import SourceSession


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerPlaces:
    """Folders of the server, None where they cannot be read from here.

    Attributes:
        not_covered: what neither scrub nor proof reaches, in words for the report.
    """

    data_directory: Path | None
    data_reason: str
    log_directory: Path | None
    log_reason: str
    database_oid: int
    other_databases: tuple[tuple[int, str], ...]
    not_covered: tuple[str, ...]


def find_places(session: SourceSession) -> ServerPlaces:
    """Ask the server for its folders and look whether they are the same machine's and readable."""
    connection = session.connection
    settings = _settings(connection)
    data, data_reason = _data_directory(connection, settings.get("data_directory"))
    log, log_reason = _log_directory(settings, data)
    oid = _scalar(connection, "SELECT oid FROM pg_database WHERE datname = current_database()")
    others = connection.execute(
        "SELECT oid, datname FROM pg_database WHERE datname <> current_database() ORDER BY datname"
    ).fetchall()
    return ServerPlaces(
        data_directory=data,
        data_reason=data_reason,
        log_directory=log,
        log_reason=log_reason,
        database_oid=int(str(oid or 0)),
        other_databases=tuple((int(row[0]), str(row[1])) for row in others),
        not_covered=tuple(_not_covered(connection, settings)),
    )


def _settings(connection: "psycopg.Connection[tuple[Any, ...]]") -> dict[str, str]:
    names = ["data_directory", "log_directory", "logging_collector", "archive_mode", "wal_compression"]
    rows = connection.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (names,)).fetchall()
    return {name: setting for name, setting in rows if setting is not None}


def _scalar(connection: "psycopg.Connection[tuple[Any, ...]]", query: LiteralString) -> object:
    try:
        row = connection.execute(query).fetchone()
    except psycopg.Error:
        return None
    return row[0] if row else None


def _data_directory(connection: "psycopg.Connection[tuple[Any, ...]]", setting: str | None) -> tuple[Path | None, str]:
    if setting is None:
        return None, "the server does not tell this role where its data directory is"
    path = Path(setting)
    try:
        control = (path / "global" / "pg_control").read_bytes()[:8]
    except OSError:
        return None, "the data directory is on another machine or not readable for this user"
    identifier = _scalar(connection, "SELECT system_identifier FROM pg_control_system()")
    if identifier is not None and int.from_bytes(control, "little") != int(str(identifier)):
        return None, "the folder of this name on this machine belongs to another server"
    return path, ""


def _log_directory(settings: dict[str, str], data: Path | None) -> tuple[Path | None, str]:
    if data is None:
        return None, "the server's folders are not readable from here"
    if settings.get("logging_collector") != "on":
        return None, "the server's log goes to its standard error; inspect where the service manager keeps it"
    folder = Path(settings.get("log_directory", "log"))
    folder = folder if folder.is_absolute() else data / folder
    if folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
        return folder, ""
    return None, "the log folder is not readable from here"


def _not_covered(connection: "psycopg.Connection[tuple[Any, ...]]", settings: dict[str, str]) -> Iterator[str]:
    replicas = _scalar(connection, "SELECT count(*) FROM pg_stat_replication")
    slots = _scalar(connection, "SELECT count(*) FROM pg_replication_slots")
    known = ["unknown" if count is None else str(count) for count in (replicas, slots)]
    yield f"replicas: {known[0]} connected, {known[1]} replication slots"
    yield f"archive of write-ahead log: archive_mode={settings.get('archive_mode', 'unknown')}"
    yield "backups and dumps of the database, file system snapshots"
    yield "free blocks of the file system, swap, memory of other processes"
    if settings.get("wal_compression", "off") != "off":
        yield f"compressed page images in the write-ahead log (wal_compression={settings['wal_compression']})"
