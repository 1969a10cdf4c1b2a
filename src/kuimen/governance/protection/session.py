"""A writing session on a source: settings that keep values out of its logs, one protector at a time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from kuimen.governance.protection.errors import (
    CutOverRefusedError,
    ProtectionBusyError,
    SourceChangedError,
    SourceLostError,
    UnknownEncodingError,
)
from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.postgresql import connect

Connection = psycopg.Connection[tuple[Any, ...]]

_ADVISORY_KEY = 7_402_188_019_331_155_281
# Text forms of values must not depend on who asks, or a value would not compare equal to itself. The search path stays
# the database's own: triggers and checks of the application run under it, and everything here is qualified.
_REQUIRED: Mapping[str, str] = {
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "timezone": "UTC",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "row_security": "off",
    "lock_timeout": "15000",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "jit": "off",
}
# Only a superuser may set these; without them the source's own settings decide what reaches its log.
_WISHED: Mapping[str, str] = {
    "log_min_error_statement": "panic",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "session_replication_role": "replica",  # the application's triggers have no part in sealing
}


class SourceSession:
    """A connection that changes a source. Driver errors are translated without their text.

    Attributes:
        connection: autocommit connection; transactions are opened explicitly.
        denied: settings this role may not make, for the report.
    """

    def __init__(self, parameters: Mapping[str, str]) -> None:
        """Connect and settle; raises SourceUnavailableError, UnknownEncodingError."""
        self._parameters = dict(parameters)
        self.connection: Connection = connect(parameters, application="kuimen protect")
        if self.connection.info.parameter_status("server_encoding") == "SQL_ASCII":
            self.connection.close()
            raise UnknownEncodingError(
                "source: its encoding is SQL_ASCII, so that nobody can say which characters its bytes are;"
                " dump it and restore it as UTF8 or GB18030 text first"
            )
        self.denied: list[str] = []
        for name, value in _REQUIRED.items():
            self._set(name, value)
        for name, value in _WISHED.items():
            try:
                self._set(name, value)
            except psycopg.Error:
                self.denied.append(name)

    def _set(self, name: str, value: str) -> None:
        self.connection.execute("SELECT set_config(%s, %s, false)", (name, value))

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Hold the source against a second protector for the length of a block.

        Raises:
            ProtectionBusyError: another process holds it.
        """
        with translated():
            row = self.connection.execute("SELECT pg_try_advisory_lock(%s)", (_ADVISORY_KEY,)).fetchone()
        if not row or not row[0]:
            raise ProtectionBusyError("source: another process is protecting it; wait for that one or stop it")
        try:
            yield
        finally:
            with suppress(psycopg.Error):  # a lost connection has given the lock back already
                self.connection.execute("SELECT pg_advisory_unlock(%s)", (_ADVISORY_KEY,))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Run a block in one transaction of the source, errors translated."""
        with translated(), self.connection.transaction():
            yield self.connection

    def twin(self) -> "SourceSession":
        """Open a second session like this one; errors as in the constructor."""
        return SourceSession(self._parameters)

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        self.connection.close()


@contextmanager
def translated() -> Iterator[None]:
    """Turn driver errors into ours, without their text: it may quote a row."""
    try:
        yield
    except pg_errors.LockNotAvailable:
        raise RelationUnreadableError("lock: the application holds a table for too long; run again") from None
    except (pg_errors.UndefinedTable, pg_errors.UndefinedColumn):
        raise SourceChangedError("source: a table or column is not there any more; plan again") from None
    except (pg_errors.DependentObjectsStillExist, pg_errors.InvalidTableDefinition) as error:
        raise CutOverRefusedError(
            f"source: refuses to drop a column because something stands on it ({error.diag.schema_name or ''}"
            f"{'.' if error.diag.table_name else ''}{error.diag.table_name or ''}); change it and run again"
        ) from None
    except pg_errors.InsufficientPrivilege:
        raise CutOverRefusedError("source: this role may not change the table; use its owner") from None
    except (pg_errors.DeadlockDetected, pg_errors.SerializationFailure):
        raise RelationUnreadableError("lock: the application and protection waited for each other; run again") from None
    except psycopg.Error as error:
        raise SourceLostError(
            f"source: a statement or the connection failed ({error.sqlstate or 'connection lost'}); run again to resume"
        ) from None


def table_name(schema: str, name: str) -> sql.Identifier:
    """Return a quoted, qualified name."""
    return sql.Identifier(schema, name)


def column(name: str, *, alias: str = "t") -> sql.Identifier:
    """Return a quoted column of an alias."""
    return sql.Identifier(alias, name)


def joined(parts: list[sql.Composable], separator: LiteralString) -> sql.Composed:
    """Join SQL fragments."""
    return sql.SQL(separator).join(parts)
