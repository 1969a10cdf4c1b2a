"""Remove what dropping columns leaves behind: old pages, statistics, write-ahead log, server logs, temporary files.

A named procedure: every step says whether it was done, was not permitted, or does not apply, and what to do then.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import errors as pg_errors
from psycopg import sql

from kuimen.foundation.errors import KuimenError
from kuimen.governance.protection.places import ServerPlaces
from kuimen.governance.protection.session import SourceSession, table_name
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.marks import SEALED_PREFIX
from kuimen.sources.prose import findings_in
from kuimen.sources.textfiles import shape_of

_MOST_ROUNDS = 300
_CHANGED: LiteralString = """
    SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
      AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                  AND (a.attisdropped OR col_description(a.attrelid, a.attnum) LIKE %s))
    ORDER BY 1, 2
"""


class ScrubState(StrEnum):
    """How a step of the scrub ended."""

    DONE = "done"
    NOT_PERMITTED = "not_permitted"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubStep:
    """One step and its outcome.

    Attributes:
        detail: counts and names.
        todo_zh, todo_en: what the operator has to do where the step was not done.
    """

    name: str
    title_zh: str
    title_en: str
    state: ScrubState
    detail: str = ""
    todo_zh: str = ""
    todo_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrubReport:
    """All steps in order."""

    label: str
    steps: tuple[ScrubStep, ...]

    @property
    def complete(self) -> bool:
        """Tell whether nothing is left to the operator."""
        return all(step.state in {ScrubState.DONE, ScrubState.NOT_APPLICABLE} for step in self.steps)


def scrub_database(
    session: SourceSession,
    *,
    label: str,
    places: ServerPlaces,
    recognition: RecognitionTables,
    only: Sequence[tuple[str, str]] | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> ScrubReport:
    """Run every step; a step that fails does not stop the next ones. `only` rewrites no table but these."""
    steps = _procedure(session, places, recognition, only)
    done: list[ScrubStep] = []
    for position, (name, title_zh, title_en, run, todo_zh, todo_en) in enumerate(steps):
        if progress is not None:
            progress(position, len(steps), title_en)
        state, detail = _run(run)
        left = state in {ScrubState.NOT_PERMITTED, ScrubState.FAILED}
        done.append(
            ScrubStep(
                name=name,
                title_zh=title_zh,
                title_en=title_en,
                state=state,
                detail=detail,
                todo_zh=todo_zh if left else "",
                todo_en=todo_en if left else "",
            )
        )
    if progress is not None:
        progress(len(steps), len(steps), "")
    return ScrubReport(label=label, steps=tuple(done))


_Step = tuple[str, str, str, Callable[[], tuple[ScrubState, str]], str, str]


def _procedure(
    session: SourceSession,
    places: ServerPlaces,
    recognition: RecognitionTables,
    only: Sequence[tuple[str, str]] | None,
) -> list[_Step]:
    """Return the steps: name, titles, deed, and what is left to do where the deed is not permitted."""
    return [
        (
            "rewrite_tables",
            "重写表与索引（VACUUM FULL）",
            "rewrite tables and indexes (VACUUM FULL)",
            lambda: _rewrite(session, only),
            "请以表属主或超级用户执行 VACUUM FULL",
            "run VACUUM FULL on the tables as their owner",
        ),
        (
            "rewrite_statistics",
            "重写统计信息（VACUUM FULL pg_statistic）",
            "rewrite statistics (VACUUM FULL pg_statistic)",
            lambda: _rewrite_statistics(session),
            "请以超级用户执行 VACUUM FULL pg_statistic, pg_statistic_ext_data",
            "run VACUUM FULL pg_statistic, pg_statistic_ext_data as superuser",
        ),
        (
            "turn_over_wal",
            "更替预写日志（关闭回收、切换、检查点）",
            "turn over the write-ahead log (no recycling, switch, checkpoint)",
            lambda: _turn_over_wal(session),
            "请以超级用户关闭 wal_recycle 并多次执行 pg_switch_wal() 与 CHECKPOINT，直到旧段消失",
            "as superuser set wal_recycle=off, then pg_switch_wal() and CHECKPOINT until no old segment remains",
        ),
        (
            "redact_server_log",
            "脱敏服务器日志",
            "redact the server log",
            lambda: _redact_logs(places, recognition),
            "请在数据库主机上检查并脱敏服务器日志",
            "inspect and redact the server log on the database host",
        ),
        (
            "temporary_files",
            "临时文件",
            "temporary files",
            lambda: _temporary_files(session),
            "请结束持有临时文件的会话",
            "end the sessions that hold temporary files",
        ),
    ]


def _run(step: Callable[[], tuple[ScrubState, str]]) -> tuple[ScrubState, str]:
    try:
        return step()
    except pg_errors.InsufficientPrivilege:
        return ScrubState.NOT_PERMITTED, "insufficient privilege"
    except psycopg.Error as error:
        return ScrubState.FAILED, f"database error {error.sqlstate or 'connection lost'}"
    except (KuimenError, OSError) as error:
        return ScrubState.FAILED, type(error).__name__


def _rewrite(session: SourceSession, only: Sequence[tuple[str, str]] | None) -> tuple[ScrubState, str]:
    """Rewrite the named tables, or every one that has lost a column or holds references, whichever run did it."""
    tables = session.connection.execute(_CHANGED, (f"{SEALED_PREFIX}%",)).fetchall() if only is None else list(only)
    for schema, name in tables:
        session.connection.execute(sql.SQL("VACUUM (FULL, ANALYZE) {}").format(table_name(schema, name)))
    return (ScrubState.DONE if tables else ScrubState.NOT_APPLICABLE), f"{len(tables)} tables"


def _rewrite_statistics(session: SourceSession) -> tuple[ScrubState, str]:
    if not _is_superuser(session):
        return ScrubState.NOT_PERMITTED, "superuser only"
    for name in ("pg_statistic", "pg_statistic_ext_data", "pg_description"):
        session.connection.execute(sql.SQL("VACUUM FULL {}").format(sql.Identifier("pg_catalog", name)))
    return ScrubState.DONE, "pg_statistic, pg_statistic_ext_data, pg_description"


def _is_superuser(session: SourceSession) -> bool:
    row = session.connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def _turn_over_wal(session: SourceSession) -> tuple[ScrubState, str]:
    if not _is_superuser(session):
        return ScrubState.NOT_PERMITTED, "superuser only"
    connection = session.connection
    with _no_recycling(connection):
        # names of the future may be recycled files of the past: all that stand here now must have their turn
        old = {
            row[0] for row in connection.execute("SELECT name FROM pg_ls_waldir()").fetchall() if _is_segment(row[0])
        }
        newest = max(old, default="")
        rounds = 0
        while rounds < _MOST_ROUNDS:
            rounds += 1
            connection.execute("SELECT txid_current()")
            connection.execute("SELECT pg_switch_wal()")
            connection.execute("CHECKPOINT")
            row = connection.execute("SELECT pg_walfile_name(pg_current_wal_insert_lsn())").fetchone()
            present = {row[0] for row in connection.execute("SELECT name FROM pg_ls_waldir()").fetchall()}
            if row and row[0] > newest and not old & present:
                return ScrubState.DONE, f"{len(old)} segments gone after {rounds} rounds"
    held = connection.execute("SELECT count(*) FROM pg_replication_slots").fetchone()
    return (
        ScrubState.FAILED,
        f"{len(old & present)} old segments are still held ({held[0] if held else 0} replication slots)",
    )


def _is_segment(name: str) -> bool:
    return len(name) == 24 and all(char in "0123456789ABCDEF" for char in name)  # noqa: PLR2004 - length of a segment name


@contextmanager
def _no_recycling(connection: "psycopg.Connection[tuple[Any, ...]]") -> Iterator[None]:
    before = connection.execute(
        "SELECT setting, coalesce(sourcefile, '') LIKE '%postgresql.auto.conf'"
        " FROM pg_settings WHERE name = 'wal_recycle'"
    ).fetchone()
    connection.execute("ALTER SYSTEM SET wal_recycle = off")
    connection.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        if before and before[1]:
            connection.execute(sql.SQL("ALTER SYSTEM SET wal_recycle = {}").format(sql.Literal(before[0])))
        else:
            connection.execute("ALTER SYSTEM RESET wal_recycle")
        connection.execute("SELECT pg_reload_conf()")


def _redact_logs(places: ServerPlaces, recognition: RecognitionTables) -> tuple[ScrubState, str]:
    if places.log_directory is None:
        return ScrubState.NOT_PERMITTED, places.log_reason
    files, removed = 0, 0
    for path in sorted(places.log_directory.iterdir()):
        if path.is_file() and not path.is_symlink():
            removed += _redact_in_place(path, recognition)
            files += 1
    return ScrubState.DONE, f"{files} files, {removed} values removed"


def _redact_in_place(path: Path, recognition: RecognitionTables) -> int:
    """Overwrite values in a log byte for byte, because the server goes on appending to the same file."""
    shape = shape_of(path) if path.stat().st_size else None
    if shape is None or shape.compressed:
        return 0
    removed = 0
    with path.open("r+b", buffering=0) as stream:
        start = 0
        for raw in stream.read().split(b"\n"):
            line = raw.decode(shape.encoding, errors="surrogateescape")
            for finding in findings_in(line, tables=recognition):
                before = line[: finding.start].encode(shape.encoding, errors="surrogateescape")
                value = line[finding.start : finding.end].encode(shape.encoding, errors="surrogateescape")
                os.pwrite(stream.fileno(), b"*" * len(value), start + len(before))
                removed += 1
            start += len(raw) + 1
    return removed


def _temporary_files(session: SourceSession) -> tuple[ScrubState, str]:
    row = session.connection.execute("SELECT count(*) FROM pg_ls_tmpdir()").fetchone()
    count = int(row[0]) if row else 0
    return (ScrubState.DONE if not count else ScrubState.FAILED), f"{count} temporary files"
