"""The embedded PostgreSQL: a real server under our own launcher.

No TCP, a private socket folder, SCRAM for every role, checksums, and a log that shows no value. As root the server
runs as an existing service user: everything that user may write lies in two folders of its own, and root never writes
into them, so a broken server cannot lead root along a link.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from kuimen.entrypoints.installation.binaries import (
    ServiceUser,
    find_binaries,
    major_version,
    runnable_binaries,
    service_user,
)
from kuimen.entrypoints.installation.errors import ServerStartError, UnsafeFolderError
from kuimen.entrypoints.installation.home import ROOT_HOME, InstallationHome, private_folder, write_private
from kuimen.entrypoints.installation.server_settings import HBA, configuration_text

ADMIN = "kuimen_admin"  # the bootstrap superuser: preparing and doctoring only, never serving
PORT = 5432  # names the socket file only
SOCKET_LIMIT = 107  # sun_path holds 108 bytes with its terminator
START_SECONDS = 60


class EmbeddedPostgres:
    """Start, find and stop the server of one installation.

    Several processes may hold one each on the same home: the first starts the server, the others attach, and
    :meth:`release` stops it only when nobody else is attached.
    """

    def __init__(self, home: InstallationHome, *, bin_dir: Path | None = None, durable: bool = True) -> None:
        """Describe the server of `home`; nothing is started.

        Args:
            home: the installation.
            bin_dir: server programs to use instead of ``KUIMEN_PG_BIN`` or the wheel's.
            durable: False switches fsync off, for throw-away clusters of tests only.
        """
        self.home = home
        self._durable = durable
        self._wanted_bin_dir = bin_dir
        self._bin_dir: Path | None = None
        self.user: ServiceUser | None = service_user()
        self.folder = self._choose_folder()
        self.cluster = self.folder / "cluster"
        self.data_dir = self.cluster / "data"
        self.log_dir = self.cluster / "log"
        self.config_dir = self.folder / "server"
        self.started_here = False
        self._attached: int | None = None
        self._threads = threading.RLock()

    def _choose_folder(self) -> Path:
        """Use the home, or as root a sibling under /var/lib/kuimen when the server's user cannot pass to the home."""
        if self.user is None or self.user.may_pass(self.home.root):
            return self.home.postgres
        digest = hashlib.sha256(os.fsencode(self.home.root)).hexdigest()[:16]
        return ROOT_HOME / "clusters" / digest

    @property
    def bin_dir(self) -> Path:
        """The server programs in use, copied for the service user where needed."""
        if self._bin_dir is None:
            found = find_binaries(self._wanted_bin_dir, major=self._cluster_major())
            self._bin_dir = runnable_binaries(found, self.user, self.folder / "binaries")
        return self._bin_dir

    @property
    def socket_dir(self) -> Path:
        """The private folder of the socket: in the home, or a short one recorded there when the path is too long."""
        own = self.folder / "socket"
        if len(os.fsencode(own / f".s.PGSQL.{PORT}")) <= SOCKET_LIMIT:
            return own
        record = self.home.run / "socket_dir"
        with suppress(FileNotFoundError):
            recorded = Path(record.read_text(encoding="utf-8"))
            if recorded.is_dir() and not recorded.is_symlink() and recorded.lstat().st_uid == self._server_uid():
                return recorded
        runtime = (
            Path("/run") if self.user is not None else Path(os.environ.get("XDG_RUNTIME_DIR", tempfile.gettempdir()))
        )
        parent = runtime if runtime.is_dir() and os.access(runtime, os.W_OK) else Path("/tmp")  # noqa: S108 - mkdtemp is private
        chosen = Path(tempfile.mkdtemp(prefix="kuimen-", dir=parent))
        self._give(chosen)
        self.home.create()
        write_private(record, os.fsencode(chosen))
        return chosen

    def dsn(self, role: str, database: str) -> str:
        """Return the libpq connection string of a role, with its password."""
        return make_conninfo("", **self.connection(role, database))

    def connection(self, role: str, database: str) -> dict[str, str]:
        """Return the connection parameters of a role, with its password."""
        return {
            "host": str(self.socket_dir),
            "port": str(PORT),
            "dbname": database,
            "user": role,
            "password": self.password(role),
        }

    def knows(self, role: str) -> bool:
        """Whether a password of this role was drawn already; makes nothing."""
        return role in self._passwords()

    def _passwords(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads((self.home.credentials / "postgres.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def password(self, role: str) -> str:
        """Return the password of a database role, drawing it on first use."""
        with self._exclusive():
            known = self._passwords()
            if role not in known:
                known[role] = secrets.token_urlsafe(32)
                write_private(self.home.credentials / "postgres.json", json.dumps(known, indent=1).encode())
            return known[role]

    # --- life ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring the server up, or attach to the one that already runs; safe to call from many processes at once.

        Raises:
            ServerStartError: it does not come up; the message names the start log.
        """
        with self._exclusive():
            if not self._answers_soon():
                self._initialise()
                self._write_settings()
                self._launch()
                self.started_here = True
            self._attach()

    def stop(self) -> None:
        """Stop the server whoever started it: open transactions are rolled back, clients are disconnected."""
        with self._exclusive():
            self._detach()
            if self.pid is not None:
                self._run(
                    "pg_ctl", "-D", str(self.data_dir), "-m", "fast", "-w", "-t", str(START_SECONDS), "-s", "stop"
                )
            self.started_here = False

    def release(self) -> None:
        """Detach, and stop the server when no other process is attached to it."""
        with self._exclusive():
            self._detach()
            with self._users_file().open("a", encoding="utf-8") as probe:
                try:
                    fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return
                self.stop()

    @contextmanager
    def running(self) -> Iterator["EmbeddedPostgres"]:
        """Hold the server up for the length of a block."""
        self.start()
        try:
            yield self
        finally:
            self.release()

    def is_running(self) -> bool:
        """Whether the postmaster of this very data folder is alive and takes connections."""
        return self.pid is not None and self._answers()

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it lives."""
        pid = self._recorded_pid()
        return pid if pid is not None and self._is_ours(pid) else None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn(ADMIN, "postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _answers_soon(self) -> bool:
        """Wait while a live postmaster recovers or dies; True when it serves, False when there is none."""
        deadline = time.monotonic() + START_SECONDS
        while self.pid is not None:
            if self._answers():
                return True
            if time.monotonic() > deadline:
                raise ServerStartError(f"the server of {self.data_dir} lives and does not answer; see {self.log_dir}")
            time.sleep(0.05)
        return False

    # --- parts of starting --------------------------------------------------------------------------------------

    def _initialise(self) -> None:
        """Make the cluster once; an interrupted initdb leaves nothing that would be mistaken for one."""
        self.home.create()
        if self.folder != self.home.postgres:
            self.folder.parent.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
            private_folder(self.folder.parent, mode=0o711)
        passable = 0o711 if self.user is not None else 0o700
        private_folder(self.folder, mode=passable)
        private_folder(self.config_dir, mode=passable)
        for folder in (self.cluster, self.socket_dir):
            if not folder.exists():
                folder.mkdir(mode=0o700)
                self._give(folder)
            if folder.is_symlink() or folder.lstat().st_uid != self._server_uid():
                raise UnsafeFolderError(f"{folder} must be a folder of the user that runs PostgreSQL, and no link")
        if (self.data_dir / "PG_VERSION").is_file():
            self._same_major()
            return
        for cut in self.cluster.glob("data.new.*"):
            shutil.rmtree(cut)
        partial = self.cluster / f"data.new.{secrets.token_hex(4)}"
        password = self.config_dir / f".initial.{secrets.token_hex(4)}"
        write_private(password, self.password(ADMIN).encode())
        try:
            self._give(password)
            self._run(
                "initdb", "-D", str(partial), "-U", ADMIN, "--pwfile", str(password), "--auth=scram-sha-256",
                "--encoding=UTF8", "--no-locale", "-k", *(() if self._durable else ("--no-sync",)),
            )  # fmt: skip
        finally:
            password.unlink()
        partial.rename(self.data_dir)

    def _cluster_major(self) -> int | None:
        try:
            return int((self.data_dir / "PG_VERSION").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def _same_major(self) -> None:
        cluster = self._cluster_major()
        programs = major_version(self.bin_dir)
        if cluster != programs:
            raise ServerStartError(
                f"the data were made by PostgreSQL {cluster} and the programs are {programs}:"
                " dump with the old programs and restore",
            )

    def _write_settings(self) -> None:
        places = {
            "data_directory": self.data_dir,
            "hba_file": self.config_dir / "pg_hba.conf",
            "ident_file": self.config_dir / "pg_ident.conf",
            "unix_socket_directories": self.socket_dir,
            "log_directory": self.log_dir,
        }
        content = configuration_text(places, durable=self._durable)
        for name, text in (("postgresql.conf", content), ("pg_hba.conf", HBA), ("pg_ident.conf", "")):
            path = self.config_dir / name
            write_private(path, text.encode())
            path.chmod(0o644)  # no secret in it, and the server's user must read it

    def _launch(self) -> None:
        """Start the postmaster; after a kill -9 wait for orphaned children to notice and go."""
        deadline = time.monotonic() + START_SECONDS
        option = shlex.join(["-c", f"config_file={self.config_dir / 'postgresql.conf'}"])
        while True:
            self._clear_stale_pid()
            try:
                self._run(
                    "pg_ctl", "-D", str(self.data_dir), "-l", str(self.cluster / "start.log"), "-w",
                    "-t", str(START_SECONDS), "-s", "-o", option, "start",
                )  # fmt: skip
            except ServerStartError:
                if time.monotonic() > deadline or not self._start_log_says_busy():
                    raise
                time.sleep(0.2)
            else:
                return

    def _start_log_says_busy(self) -> bool:
        try:
            with (self.cluster / "start.log").open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 2000))
                tail = log.read()
        except FileNotFoundError:
            return False
        return b"pre-existing shared memory block" in tail.rsplit(b"FATAL", 1)[-1]

    def _clear_stale_pid(self) -> None:
        """Remove the pid file of a postmaster that is gone: its number may meanwhile belong to another process."""
        pid = self._recorded_pid()
        if pid is None or self._is_ours(pid):
            return
        for path in (self.data_dir / "postmaster.pid", self.socket_dir / f".s.PGSQL.{PORT}.lock"):
            path.unlink(missing_ok=True)

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.data_dir / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None

    def _is_ours(self, pid: int) -> bool:
        """Whether `pid` lives and works in our data folder, which every postmaster makes its own directory."""
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == self.data_dir.resolve()
        except FileNotFoundError:
            if Path("/proc/self").exists():
                return False
        except PermissionError:
            return False
        try:  # a system without /proc
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        user = self.user
        finished = subprocess.run(  # noqa: S603 - our own programs and paths
            [self.bin_dir / program, *arguments],
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
            cwd=self.cluster,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else None,
            start_new_session=True,  # Ctrl-C at our terminal must not reach the server
            check=False,
        )
        if finished.returncode:
            raise ServerStartError(
                f"{program} ended with {finished.returncode}; see {self.cluster / 'start.log'} and {self.log_dir}"
            )

    def _give(self, path: Path) -> None:
        if self.user is not None:
            os.chown(path, self.user.uid, self.user.gid, follow_symlinks=False)

    def _server_uid(self) -> int:
        return self.user.uid if self.user is not None else os.geteuid()

    # --- several processes --------------------------------------------------------------------------------------

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Hold the lock of this home, against threads and processes; re-entrant within a thread."""
        with self._threads:
            if getattr(self, "_depth", 0):
                yield
                return
            self.home.create()
            with (self.home.run / "postgres.lock").open("a", encoding="utf-8") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._depth = 1
                try:
                    yield
                finally:
                    self._depth = 0

    def _users_file(self) -> Path:
        return self.home.run / "postgres.users"

    def _attach(self) -> None:
        """Hold a shared lock for as long as this process uses the server; the kernel gives it back when it dies."""
        if self._attached is None:
            self._attached = os.open(self._users_file(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._attached, fcntl.LOCK_SH)

    def _detach(self) -> None:
        if self._attached is not None:
            os.close(self._attached)
            self._attached = None
