"""The embedded server: one per home, private, found by every process, gone when nobody needs it."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fixtures.installed import quick_folder
from kuimen.entrypoints.installation.binaries import ServiceUser, find_binaries, major_version, service_user
from kuimen.entrypoints.installation.errors import ServerBinariesMissingError, ServerStartError, UnsafeFolderError
from kuimen.entrypoints.installation.home import InstallationHome, private_folder
from kuimen.entrypoints.installation.postgres import ADMIN, PORT, SOCKET_LIMIT, EmbeddedPostgres

DEBIAN = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="kuimen-test-", dir=quick_folder()))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(place: Path) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(InstallationHome.locate(place / "home"), durable=False)
    yield postgres
    postgres.stop()


def ask(postgres: EmbeddedPostgres, question: str) -> str:
    with psycopg.connect(postgres.dsn(ADMIN, "postgres")) as session:
        row = session.execute(question.encode()).fetchone()
    assert row is not None
    return str(row[0])


def test_it_takes_no_network_and_no_stranger(server: EmbeddedPostgres) -> None:
    server.start()
    assert ask(server, "SHOW listen_addresses") == ""
    assert ask(server, "SHOW data_checksums") == "on"
    assert ask(server, "SHOW password_encryption") == "scram-sha-256"
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.home.credentials / "postgres.json").stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(server.socket_dir), user=ADMIN, dbname="postgres", password="a guess")


def test_no_error_of_a_statement_reaches_its_log(server: EmbeddedPostgres) -> None:
    server.start()
    needle = "19990004321"
    with psycopg.connect(server.dsn(ADMIN, "postgres"), autocommit=True) as session:
        session.execute("CREATE TABLE people (phone text UNIQUE, n integer)")
        session.execute("INSERT INTO people VALUES (%s)", (needle,))
        with pytest.raises(psycopg.errors.UniqueViolation):
            session.execute("INSERT INTO people VALUES (%s)", (needle,))
        with pytest.raises(psycopg.DataError):
            session.execute("INSERT INTO people (n) VALUES (%s::text::integer)", (needle + "x",))
    server.stop()
    logs = [path.read_text() for path in [*server.log_dir.iterdir(), server.cluster / "start.log"]]
    assert any(logs)
    assert not any(needle in text for text in logs)


def test_a_second_process_attaches_and_the_last_one_out_stops_it(server: EmbeddedPostgres) -> None:
    other = EmbeddedPostgres(server.home, durable=False)
    server.start()
    other.start()
    assert (server.started_here, other.started_here) == (True, False)
    server.release()
    assert other.is_running()
    other.release()
    assert not other.is_running()


def test_a_deep_home_gets_a_short_private_socket_folder(place: Path) -> None:
    home = InstallationHome.locate(place / ("d" * 60) / ("e" * 60))
    home.root.parent.mkdir(mode=0o711)
    postgres = EmbeddedPostgres(home, durable=False)
    postgres.start()
    try:
        folder = postgres.socket_dir
        assert len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= SOCKET_LIMIT
        assert not folder.is_relative_to(home.root)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert EmbeddedPostgres(home).socket_dir == folder
        assert ask(postgres, "SELECT 1") == "1"
    finally:
        postgres.stop()
        shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_root_runs_it_as_a_service_user_and_touches_no_parent_folder(place: Path) -> None:
    parent = place / "parent"
    parent.mkdir(mode=0o755)
    before = [folder.stat().st_mode for folder in (parent, *parent.parents)]
    postgres = EmbeddedPostgres(InstallationHome.locate(parent / "home"), durable=False)
    postgres.start()
    try:
        user = service_user()
        assert user is not None
        assert Path(f"/proc/{postgres.pid}").stat().st_uid == user.uid != 0
        assert [folder.stat().st_mode for folder in (parent, *parent.parents)] == before
        assert postgres.config_dir.stat().st_uid == 0
    finally:
        postgres.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_a_home_that_the_service_user_cannot_reach_keeps_its_cluster_elsewhere(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    postgres = EmbeddedPostgres(InstallationHome.locate(closed / "home"))
    assert not postgres.folder.is_relative_to(closed)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert EmbeddedPostgres(InstallationHome.locate(closed / "home")).folder == postgres.folder
    assert EmbeddedPostgres(InstallationHome.locate(closed / "other")).folder != postgres.folder


def test_passing_is_judged_by_owner_group_and_others(place: Path) -> None:
    stranger = ServiceUser(name="stranger", uid=54321, gid=54321)
    folder = place / "a"
    folder.mkdir(mode=0o711)
    assert stranger.may_pass(folder / "not made yet")
    folder.chmod(0o710)
    assert not stranger.may_pass(folder)


def test_an_interrupted_initdb_is_not_mistaken_for_a_cluster(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    server.data_dir.rename(server.cluster / "data.new.cut")
    server.start()
    assert ask(server, "SELECT 1") == "1"
    assert not list(server.cluster.glob("data.new.*"))


def test_data_of_another_major_version_are_refused_not_started(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data_dir / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerStartError, match="PostgreSQL 9"):
        server.start()


def test_a_pid_file_whose_number_belongs_to_another_process_does_not_block(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    (server.data_dir / "postmaster.pid").write_text(f"{os.getppid()}\n{server.data_dir}\n1\n{PORT}\n")
    assert not server.is_running()
    server.start()
    assert server.is_running()


def test_data_choose_the_version_of_the_programs_that_made_them() -> None:
    newest = find_binaries()
    assert find_binaries(major=major_version(newest)) == newest
    older = [path for path in newest.parents[1].glob("pginstall*/bin") if path != newest]
    assert all(find_binaries(major=major_version(path)) == path for path in older)
    assert find_binaries(major=9) == newest


def test_missing_programs_are_named(place: Path) -> None:
    with pytest.raises(ServerBinariesMissingError, match="initdb"):
        EmbeddedPostgres(InstallationHome.locate(place / "home"), bin_dir=place).start()


def test_a_private_folder_that_is_a_link_is_refused(place: Path) -> None:
    (place / "real").mkdir()
    (place / "link").symlink_to(place / "real")
    with pytest.raises(UnsafeFolderError):
        private_folder(place / "link")


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's server is not installed")
def test_debians_server_runs_under_the_same_launcher(place: Path) -> None:
    postgres = EmbeddedPostgres(InstallationHome.locate(place / "home"), bin_dir=DEBIAN, durable=False)
    postgres.start()
    try:
        assert ask(postgres, "SHOW server_version_num").startswith("15")
        assert ask(postgres, "SHOW data_checksums") == "on"
    finally:
        postgres.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes somebody else; others run every test this way")
def test_an_ordinary_user_runs_it_as_themselves(place: Path) -> None:
    """A fork, not a new process: the interpreter may lie where only root can go."""
    stranger = service_user()
    assert stranger is not None
    root = place / "ordinary"
    root.mkdir(mode=0o700)
    os.chown(root, stranger.uid, stranger.gid)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(stranger.gid)
            os.setuid(stranger.uid)
            os.chdir(root)
            postgres = EmbeddedPostgres(InstallationHome.locate(root / "home"), durable=False)
            postgres.start()
            try:
                own = Path(f"/proc/{postgres.pid}").stat().st_uid == os.getuid() != 0
                code = 0 if own and ask(postgres, "SELECT 1") == "1" else 2
            finally:
                postgres.stop()
        except BaseException as failure:
            os.write(2, f"{type(failure).__name__}: {failure}".encode())
            raise
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
