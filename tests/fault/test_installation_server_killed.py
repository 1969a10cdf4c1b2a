"""kill -9 of the server: the next start recovers, whatever was left lying about."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fixtures.installed import quick_folder
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.installation.postgres import ADMIN, EmbeddedPostgres

pytestmark = pytest.mark.fault

STARTER = """
import sys
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.installation.postgres import EmbeddedPostgres
postgres = EmbeddedPostgres(InstallationHome.locate(sys.argv[1]), durable=False)
postgres.start()
print("up", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def home() -> Iterator[InstallationHome]:
    folder = Path(tempfile.mkdtemp(prefix="kuimen-test-", dir=quick_folder()))
    folder.chmod(0o711)
    yield InstallationHome.locate(folder)
    EmbeddedPostgres(InstallationHome.locate(folder), durable=False).stop()
    shutil.rmtree(folder)


def rows(postgres: EmbeddedPostgres) -> int:
    with psycopg.connect(postgres.dsn(ADMIN, "postgres")) as session:
        found = session.execute("SELECT count(*) FROM kept").fetchone()
    assert found is not None
    return int(found[0])


def test_a_killed_postmaster_comes_back_with_what_was_committed(home: InstallationHome) -> None:
    postgres = EmbeddedPostgres(home)
    postgres.start()
    with psycopg.connect(postgres.dsn(ADMIN, "postgres"), autocommit=True) as session:
        session.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000)")
        held = psycopg.connect(postgres.dsn(ADMIN, "postgres"))
        held.execute("INSERT INTO kept VALUES (0)")
        assert postgres.pid is not None
        os.kill(postgres.pid, signal.SIGKILL)
    again = EmbeddedPostgres(home)
    again.start()
    assert rows(again) == 1000
    held.close()


def test_a_killed_backend_is_recovered_from_while_the_postmaster_lives(home: InstallationHome) -> None:
    postgres = EmbeddedPostgres(home, durable=False)
    postgres.start()
    with psycopg.connect(postgres.dsn(ADMIN, "postgres"), autocommit=True) as session:
        session.execute("CREATE TABLE kept AS SELECT generate_series(1, 10)")
        session.execute("SELECT '19990004321'")
        os.kill(session.info.backend_pid, signal.SIGKILL)
    other = EmbeddedPostgres(home, durable=False)
    other.start()
    assert not other.started_here
    assert rows(other) == 10
    logs = "".join(path.read_text() for path in other.log_dir.iterdir())
    assert "terminated by signal 9" in logs
    assert "19990004321" not in logs  # its last statement is a DETAIL, which the log does not take


def test_a_killed_starter_leaves_the_server_to_the_next(home: InstallationHome) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.kill()
    postgres = EmbeddedPostgres(home, durable=False)
    postgres.start()
    assert not postgres.started_here
    postgres.release()
    assert not postgres.is_running()


def test_many_starters_at_once_make_one_server(home: InstallationHome) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, str(home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
    assert EmbeddedPostgres(home, durable=False).is_running()
    for child in children:
        child.communicate("")
        assert child.returncode == 0
