"""`kuimen check`, the doctor: looks at an installation and says what is well, doubtful or wrong. Changes nothing."""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import psycopg
from psycopg import Connection

from kuimen.entrypoints.installation import config
from kuimen.entrypoints.installation.binaries import find_binaries, major_version
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.installation.servers import (
    APPLICATION,
    KEYS,
    KEYS_DATABASE,
    MAIN_DATABASE,
    EmbeddedServer,
    dsn,
    server_of,
)
from kuimen.foundation import clock
from kuimen.foundation.clock import SystemClock
from kuimen.foundation.errors import KuimenError
from kuimen.kernels.ciphers import sm3
from kuimen.kernels.ciphers.paths import FAILED, chosen_path, path_states
from kuimen.kernels.native import HOW_BUILT, NATIVE
from kuimen.standard import load_catalogue
from kuimen.standard.validation import find_problems

HALVES = "domain-halves.json"  # as gate.keys.halves names it; this module needs no Django
BACKUP_PERIOD = timedelta(days=90)
OLDEST_SERVER = 150_000
LOW_DISK = 2 * 1024**3
MOST_SKEW = timedelta(seconds=2)
LARGEST_PAUSE = timedelta(minutes=1)

# Settings of a server under which a value can reach its log, and what is safe.
VALUE_SETTINGS: dict[str, tuple[str, ...]] = {
    "log_error_verbosity": ("terse",),
    "log_min_error_statement": ("panic", "fatal"),
    "log_statement": ("none", "ddl"),
    "log_parameter_max_length": ("0",),
    "log_parameter_max_length_on_error": ("0",),
    "log_min_duration_statement": ("-1",),
    "log_min_duration_sample": ("-1",),
    "log_transaction_sample_rate": ("0",),
    "auto_explain.log_min_duration": ("-1",),
    "debug_print_parse": ("off",),
    "debug_print_plan": ("off",),
    "debug_print_rewritten": ("off",),
}


PATH_STATES_ZH = {"ready": "可用", "not on this processor": "本机处理器不支持", FAILED: "自检未通过，不予采用"}


class Grade(StrEnum):
    """How a finding stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckFinding:
    """One thing that was looked at."""

    subject: str
    grade: Grade
    text_zh: str
    text_en: str


def check(home: InstallationHome) -> list[CheckFinding]:
    """Look at everything and return the findings, the worst not first but in the order of looking."""
    findings = [
        *_check_home(home),
        *_check_configuration(home),
        *_check_disk(home),
        *_check_standards(),
        *_check_kernels(),
    ]
    server = server_of(home)
    if isinstance(server, EmbeddedServer):
        findings += _check_binaries()
        if not server.postgres.is_running():
            grade = Grade.FAIL if home.initialised else Grade.WARN  # before `kuimen init` there is nothing to start
            advice = "the embedded server is not running; `kuimen serve` starts it"
            return [*findings, _finding("server", grade, "内置数据库未运行，kuimen serve 会启动它", advice)]
    findings += _connected(dsn_of(home, APPLICATION, MAIN_DATABASE), "server", look_at_main)
    findings += _connected(dsn_of(home, APPLICATION, MAIN_DATABASE), "key_backup", look_at_key_backup(home))
    findings += _connected(dsn_of(home, KEYS, KEYS_DATABASE), "keys_database", _check_keys_role)
    return findings


def worst(findings: list[CheckFinding]) -> Grade:
    """Return the gravest grade."""
    grades = {finding.grade for finding in findings}
    return Grade.FAIL if Grade.FAIL in grades else Grade.WARN if Grade.WARN in grades else Grade.OK


def dsn_of(home: InstallationHome, role: str, database: str) -> Callable[[], str]:
    """Delay building an address, so that its failure becomes a finding."""
    return lambda: dsn(server_of(home), role, database)


def _finding(subject: str, grade: Grade, text_zh: str, text_en: str) -> CheckFinding:
    return CheckFinding(subject=subject, grade=grade, text_zh=text_zh, text_en=text_en)


def _check_home(home: InstallationHome) -> Iterator[CheckFinding]:
    if not home.root.is_dir():
        yield _finding("home", Grade.FAIL, "没有安装目录,请先 kuimen init", "no home folder; run kuimen init")
        return
    for folder in (home.keys, home.credentials, home.checkpoints):
        if folder.is_dir() and folder.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield _finding(
                "home",
                Grade.FAIL,
                f"{folder.name}/ 对他人开放,应为 0700",
                f"{folder.name}/ is open to others; make it 0700",
            )
    if not home.root_key.is_file():
        yield _finding("root_key", Grade.FAIL, "没有密封的根密钥文件", "there is no sealed root key file")
        return
    found = home.root_key.stat()
    private = not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO) and found.st_uid in (os.geteuid(), 0)
    yield (
        _finding("root_key", Grade.OK, "根密钥文件仅本用户可读", "the root key file is readable by this user alone")
        if private
        else _finding(
            "root_key",
            Grade.FAIL,
            "根密钥文件对他人可读,应为 0600",
            "the root key file is readable by others; make it 0600",
        )
    )


def _check_configuration(home: InstallationHome) -> Iterator[CheckFinding]:
    try:
        found = config.load(home)
    except KuimenError as failure:
        yield _finding("configuration", Grade.FAIL, "配置文件不可用", str(failure))
        return
    if found.overlay:
        yield _finding(
            "overlay",
            Grade.WARN,
            f"已加载演示识别表“{found.overlay}”:不得用于生产",
            f"overlay {found.overlay} is active: not for production",
        )
    if not found.behind_https:
        yield _finding(
            "https",
            Grade.WARN,
            "未声明 HTTPS:控制台只应在本机访问",
            "not behind HTTPS: serve the console to this machine only",
        )


def _check_disk(home: InstallationHome) -> Iterator[CheckFinding]:
    folder = next(path for path in (home.root, *home.root.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    grade = Grade.OK if free >= LOW_DISK else Grade.WARN
    yield _finding("disk", grade, f"可用空间 {free >> 30} GiB", f"{free >> 30} GiB free")


def _check_standards() -> Iterator[CheckFinding]:
    problems = find_problems()
    if problems:
        text = f"{len(problems)} 处不合，首处：{problems[0]}"
        yield _finding("standards", Grade.FAIL, text, f"{len(problems)} defects, the first: {problems[0]}")
        return
    total = len(load_catalogue().clauses)
    yield _finding("standards", Grade.OK, f"要求目录完整，共 {total} 条", f"the catalogue is whole: {total} clauses")


def _check_kernels() -> Iterator[CheckFinding]:
    text_zh = "本机加速内核已编译" if NATIVE else "本机加速内核未编译：结果相同，批量处理较慢"
    yield _finding("native_kernels", Grade.OK, f"{text_zh}（{HOW_BUILT}）", f"native kernels: {HOW_BUILT}")
    states = path_states()
    failed = [name for name, state in states.items() if state == FAILED]
    grade = Grade.FAIL if failed else Grade.OK
    told_zh = "，".join(f"{name} {PATH_STATES_ZH.get(state, state)}" for name, state in states.items())
    told_en = ", ".join(f"{name} {state}" for name, state in states.items())
    path = chosen_path()
    yield _finding("sealing_path", grade, f"封存采用 {path}（{told_zh}）", f"sealing takes {path} ({told_en})")


def _check_binaries() -> Iterator[CheckFinding]:
    try:
        folder = find_binaries()
        version = major_version(folder)
    except KuimenError as failure:
        yield _finding("binaries", Grade.FAIL, "没有可用的 PostgreSQL 程序", str(failure))
        return
    yield _finding(
        "binaries", Grade.OK, f"PostgreSQL {version} 程序可用", f"programs of PostgreSQL {version} are usable"
    )


def _connected(
    address: Callable[[], str], subject: str, look: Callable[[Connection], Iterator[CheckFinding]]
) -> list[CheckFinding]:
    try:
        with psycopg.connect(address(), connect_timeout=5, autocommit=True) as connection:
            return list(look(connection))
    except KuimenError as failure:
        return [_finding(subject, Grade.FAIL, "数据库地址未配置", str(failure))]
    except psycopg.Error:  # its text may name rows or addresses
        return [
            _finding(subject, Grade.FAIL, "无法连接数据库", "the database cannot be reached or refused the question")
        ]


def look_at_main(connection: Connection) -> Iterator[CheckFinding]:
    """Look at the main database through an open connection of the application role."""
    yield from _check_server(connection)
    yield from _check_role(connection, APPLICATION)
    yield from _check_audit_privileges(connection)
    yield from _check_pending(connection)


def _check_keys_role(connection: Connection) -> Iterator[CheckFinding]:
    yield from _check_role(connection, KEYS)


def _check_server(connection: Connection) -> Iterator[CheckFinding]:
    version = connection.info.server_version
    grade = Grade.OK if version >= OLDEST_SERVER else Grade.FAIL
    yield _finding(
        "server", grade, f"服务器版本 {version // 10_000}", f"server version {version // 10_000}, 15 or newer is needed"
    )
    rows = connection.execute(
        "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", (list(VALUE_SETTINGS),)
    ).fetchall()
    talkative = sorted(name for name, setting in rows if setting not in VALUE_SETTINGS[name])
    if talkative:
        names = ", ".join(talkative)
        yield _finding(
            "server_log", Grade.WARN, f"服务器日志可能出现数据值:{names}", f"the server's log can show values: {names}"
        )
    else:
        yield _finding("server_log", Grade.OK, "服务器日志不含数据值", "the server's log shows no values")
    row = connection.execute("SELECT clock_timestamp(), current_setting('data_checksums', true)").fetchone()
    if row is None:
        return
    skew = abs(SystemClock().now() - row[0])
    grade = Grade.OK if skew <= MOST_SKEW else Grade.WARN
    yield _finding(
        "clock",
        grade,
        f"与数据库时钟相差 {skew.total_seconds():.1f} 秒",
        f"the clocks differ by {skew.total_seconds():.1f} s",
    )
    if row[1] != "on":
        yield _finding("checksums", Grade.WARN, "数据页校验未启用", "data checksums are off")


def _check_role(connection: Connection, expected: str) -> Iterator[CheckFinding]:
    row = connection.execute(
        "SELECT current_user, rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication,"
        " has_schema_privilege('public', 'CREATE') OR has_database_privilege(current_database(), 'CREATE'),"
        " EXISTS (SELECT 1 FROM pg_class WHERE relowner = pg_roles.oid AND relnamespace = 'public'::regnamespace)"
        " FROM pg_roles WHERE rolname = current_user",
    ).fetchone()
    name, powerful, creates, owns = row or ("", True, True, True)
    wrong = [text for text, is_so in (("superuser rights", powerful), ("DDL", creates), ("own tables", owns)) if is_so]
    if wrong:
        yield _finding(
            "role",
            Grade.FAIL,
            f"角色 {name} 权限过大:{', '.join(wrong)}",
            f"role {name} may too much: {', '.join(wrong)}",
        )
    else:
        yield _finding("role", Grade.OK, f"角色 {name} 权限最小", f"role {name} has the least privileges ({expected})")


def _check_audit_privileges(connection: Connection) -> Iterator[CheckFinding]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND relname LIKE 'audit\\_%' AND (has_table_privilege(oid, 'UPDATE') OR has_table_privilege(oid, 'DELETE')"
        " OR has_table_privilege(oid, 'TRUNCATE'))",
    ).fetchall()
    if rows:
        names = ", ".join(sorted(name for (name,) in rows))
        yield _finding("audit", Grade.FAIL, f"应用角色可改写审计表:{names}", f"the application role can change {names}")
    else:
        yield _finding(
            "audit", Grade.OK, "审计表对应用角色只增不改", "audit tables take inserts only from the application role"
        )


def look_at_key_backup(home: InstallationHome) -> Callable[[Connection], Iterator[CheckFinding]]:
    """Compare the key files with what a custodian last confirmed a copy of; the log names their digests."""

    def look(connection: Connection) -> Iterator[CheckFinding]:
        rows = connection.execute(
            "SELECT DISTINCT ON (split_part(object_ref, '/', 1)) object_ref, occurred_at FROM audit_entry"
            " WHERE action = 'keys.backup_confirmed' AND outcome = 'done'"
            " ORDER BY split_part(object_ref, '/', 1), id DESC"
        ).fetchall()
        confirmed = {str(ref).partition("/")[0]: (str(ref).partition("/")[2], at) for ref, at in rows}
        for path in (home.root_key, home.root_key.with_name(HALVES)):
            digest, at = confirmed.get(path.name, ("", None))
            try:
                here = sm3(path.read_bytes()).hex()
            except OSError:
                grade = Grade.WARN if path.name == HALVES else Grade.FAIL  # there is none before the first domain key
                yield _finding(
                    "key_backup", grade, f"{path.name} 缺失或不可读", f"{path.name} is missing or unreadable"
                )
                continue
            if at is None or here != digest or clock.now() - at > BACKUP_PERIOD:
                text_zh = f"{path.name} 的备份未确认、已过期或文件已变,见 docs/keys.md"
                text_en = f"the backup of {path.name} is not confirmed, too old, or of another state; see docs/keys.md"
                yield _finding("key_backup", Grade.WARN, text_zh, text_en)
            else:
                yield _finding(
                    "key_backup", Grade.OK, f"{path.name} 备份已确认", f"the backup of {path.name} is confirmed"
                )

    return look


def _check_pending(connection: Connection) -> Iterator[CheckFinding]:
    row = connection.execute(
        "SELECT count(*), min(occurred_at) FROM audit_entry e"
        " WHERE NOT EXISTS (SELECT 1 FROM audit_sequenced s WHERE s.entry_id = e.id)",
    ).fetchone()
    count, oldest = row or (0, None)
    late = oldest is not None and clock.now() - oldest > LARGEST_PAUSE
    grade = Grade.WARN if late else Grade.OK
    yield _finding(
        "audit_checkpoint", grade, f"{count} 条审计记录等待检查点", f"{count} audit entries wait for their checkpoint"
    )
