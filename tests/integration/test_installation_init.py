"""`kuimen init` as processes live it: once, resumable until the appointment, refused for ever after."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.installed import quick_folder
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.installation.postgres import EmbeddedPostgres

LIFE = """
import json, sys
from pathlib import Path
from kuimen.entrypoints.installation import check, config, install, servers, unlocking
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.installation.postgres import EmbeddedPostgres
from kuimen.foundation.errors import KuimenError, rule_for
from kuimen.foundation.sensitive import Sensitive

home = InstallationHome.locate(sys.argv[1])
command, second = sys.argv[2:4]
server = servers.EmbeddedServer(postgres=EmbeddedPostgres(home, durable=False))


def init():
    from kuimen.gate.keys.root_file import Argon2Cost

    people = [
        install.Officer(
            staff_no=number,
            display_name=name,
            password=Sensitive(f"sign in as {number}", element="password"),
            passphrase=Sensitive(phrase, element="password"),
        )
        for number, name, phrase in (("K0001", "首任甲", "first long passphrase"), ("K0002", "首任乙", second))
    ]
    report = install.initialise(
        home,
        configuration=config.Configuration(institution_name="测试小贷", overlay="fictitious"),
        officers=people,
        server=server,
        cost=Argon2Cost(time_cost=1, memory_kib=8192, parallelism=1),
    )
    server.postgres.release()
    return {"officers": report.officers, "key": report.signing_key_id, "institution": str(report.institution_id)}


def look():
    with install.opened(home, server=server):
        ring = unlocking.unlock_installation(home, file=Path(second))
        from kuimen.gate.audit import services as audit

        page = audit.entries()
        first = page.entries[-1]
        return {
            "key": ring.signer().key_id,
            "first": [first.action, first.seq, first.actor, first.facts["officers"]],
            "proved": audit.inclusion(first.entry_id).seq,
            "grades": {finding.subject: finding.grade for finding in check.check(home)},
        }


try:
    print(json.dumps({"init": init, "look": look}[command]()))
except KuimenError as error:
    print(json.dumps({"code": error.code}))
    sys.exit(rule_for(error).exit_code)
"""


@pytest.fixture
def home() -> Iterator[InstallationHome]:
    folder = Path(tempfile.mkdtemp(prefix="kuimen-test-", dir=quick_folder()))
    folder.chmod(0o711)
    yield InstallationHome.locate(folder / "home")
    EmbeddedPostgres(InstallationHome.locate(folder / "home"), durable=False).stop()
    shutil.rmtree(folder)


def live(home: InstallationHome, command: str, second: str = "second long passphrase") -> tuple[int, dict[str, object]]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("KUIMEN", "DJANGO", "DATABASE"))
    }
    done = subprocess.run(
        [sys.executable, "-c", LIFE, str(home.root), command, second],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_the_first_officers_are_entry_one_and_a_second_initialisation_is_refused(
    home: InstallationHome, tmp_path: Path
) -> None:
    code, born = live(home, "init")
    assert (code, born["officers"]) == (0, ["K0001", "K0002"])
    assert not EmbeddedPostgres(home).is_running()

    passphrases = tmp_path / "passphrases"
    passphrases.write_text("K0001=first long passphrase\nK0002=second long passphrase\n")
    passphrases.chmod(0o600)
    code, seen = live(home, "look", str(passphrases))
    assert code == 0
    assert seen["first"] == ["access.appoint", 0, "kuimen", ["K0001", "K0002"]]
    assert (seen["key"], seen["proved"]) == (born["key"], 0)

    grades = seen["grades"]
    assert isinstance(grades, dict)
    assert {subject for subject, grade in grades.items() if grade == "fail"} == set()
    assert grades["overlay"] == "warn"
    assert grades["server_log"] == grades["audit"] == grades["role"] == grades["root_key"] == "ok"

    config_before, root_before = home.config.read_bytes(), home.root_key.read_bytes()
    assert live(home, "init") == (4, {"code": "installation.already_initialised"})
    (home.run / "appointed").unlink()  # the database remembers even when the mark is gone
    assert live(home, "init", "another passphrase") == (4, {"code": "installation.already_initialised"})
    assert home.root_key.read_bytes() == root_before
    assert home.config.read_bytes() == config_before


@pytest.mark.slow
def test_an_initialisation_that_was_refused_halfway_can_be_repeated(home: InstallationHome) -> None:
    code, answer = live(home, "init", "short")
    assert (code, answer) == (2, {"code": "keys.weak_passphrase"})
    code, answer = live(home, "init")
    assert (code, answer["officers"]) == (0, ["K0001", "K0002"])


def test_without_an_installation_one_is_told_to_make_it(home: InstallationHome) -> None:
    assert live(home, "look") == (4, {"code": "installation.not_initialised"})
