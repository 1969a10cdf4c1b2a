"""The main job as a user starts it: every figure of the summary, an independent search for clear values, a second run.

The command runs in processes of its own on a home of its own; nothing of the suite's installation is used.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kuimen.entrypoints.demo.day_server import free_port
from kuimen.entrypoints.demo.lender.build import SEED, make_book
from kuimen.entrypoints.demo.lender.tape import read_tape

LONGEST_SECONDS = 2_400
pytestmark = [pytest.mark.slow, pytest.mark.timeout(LONGEST_SECONDS)]
COMMAND = (sys.executable, "-m", "kuimen.entrypoints.cli", "demo")
RAW_BYTES = 8
NOT_IN_ORDER = {"grace": 67, "late_16_30": 38, "late_31_120": 66, "charged_off": 7}
SEARCHED_NOWHERE_ELSE = re.compile(r"replicas|archive of write-ahead log|backups|free blocks")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """One finished run and where it worked."""

    home: Path
    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """Return the last line of standard output."""
        found: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return found

    @property
    def folders(self) -> list[Path]:
        """Return everything the demonstration wrote, but the passphrases and sign-ins."""
        return [self.home, self.home.with_name(f"{self.home.name}-files")]


def environment() -> dict[str, str]:
    hidden = {"KUIMEN_HOME", "DATABASE_URL", "KUIMEN_KEYS_DATABASE_URL", "KUIMEN_OVERLAY", "DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in hidden}


@pytest.fixture(scope="module")
def parent() -> Iterator[Path]:
    """A folder that PostgreSQL's own user may pass, on a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="kuimen-demo-"))
    folder.chmod(0o711)
    yield folder
    for pid in postmasters_of(folder):
        os.kill(pid, signal.SIGQUIT)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def finished(parent: Path) -> DemoRun:
    home = parent / "home"
    done = subprocess.run(
        [*COMMAND, "--no-serve", "--json", "--home", str(home)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    return DemoRun(home=home, code=done.returncode, out=done.stdout, err=done.stderr)


def postmasters_of(home: Path) -> list[int]:
    """Return the processes that work in the home's data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                place = (entry / "cwd").readlink()
            except OSError:
                continue
            if place.is_relative_to(home):
                found.append(int(entry.name))
    return found


def test_it_ends_well_and_leaves_no_server_behind(finished: DemoRun) -> None:
    assert finished.code == 0, finished.err[-2000:]
    assert postmasters_of(finished.home) == []


def test_every_row_is_taken_in_and_every_column_looked_at(finished: DemoRun) -> None:
    told = finished.summary
    assert told["loans"] == len(read_tape()) == 10_000
    assert told["rows_ingested"] > 150_000
    assert told["columns_scanned"] > 130
    assert 55 <= told["personal_columns"] <= told["columns_scanned"]


@pytest.mark.clause("CQJR-5.3-d", "JRT0171-6.1.3-a")
def test_everything_is_sealed_or_destroyed_and_nothing_is_left(finished: DemoRun) -> None:
    told = finished.summary
    assert told["values_sealed"] > 200_000
    assert told["values_destroyed"] > 3_000
    assert told["residual_clear_values"] == 0
    assert told["needles_raw"] > 100_000
    assert told["needles_rescan"] > 1_000
    assert told["not_covered"]
    assert all(SEARCHED_NOWHERE_ELSE.search(line) for line in told["not_covered"]), told["not_covered"]


def test_cases_come_from_the_loans_that_are_not_in_order(finished: DemoRun) -> None:
    told = finished.summary
    assert told["cases"] == 178
    assert told["cases_by_status"] == NOT_IN_ORDER


def test_the_collectors_day_discloses_within_quota_and_is_refused_beyond(finished: DemoRun) -> None:
    told = finished.summary
    assert told["disclosures"] >= 11
    assert told["refusals"] >= 5


def test_the_audit_log_verifies_offline(finished: DemoRun) -> None:
    told = finished.summary
    assert told["audit_verified"] is True
    assert told["audit_entries"] > 300


def test_the_assessment_looks_at_every_clause_and_finds_no_defect(finished: DemoRun) -> None:
    told = finished.summary
    assert told["clauses_total"] == 225
    assert told["clauses_assessed"] >= 20
    assert sum(told["verdicts"].values()) == 225
    assert told["verdicts"]["不符合"] == 0
    assert Path(told["report_pdf"]).read_bytes().startswith(b"%PDF")


def test_a_plain_search_finds_no_customer_anywhere(finished: DemoRun, parent: Path) -> None:
    """Search with a tool of its own for values drawn anew from the seed: numbers, addresses, names."""
    people = make_book(SEED).customers
    wanted = {
        value
        for person in people
        for value in (
            person.identity.resident_id,
            person.identity.mobile,
            person.identity.bank_card,
            person.identity.email,
            person.identity.address,
            person.identity.person_name,
            person.identity.contact_mobile,
        )
        if len(value.encode()) >= RAW_BYTES
    }
    assert len(wanted) > 4 * len(people)
    folders = [str(folder) for folder in finished.folders]
    command = ["grep", "-r", "-a", "-l", "-F", "-f", "-", *folders]
    patterns = "\n".join(sorted(wanted)).encode() + b"\n"
    searched = subprocess.run(
        command, input=patterns, env={"LC_ALL": "C", "PATH": os.environ["PATH"]}, capture_output=True, check=False
    )
    assert (searched.returncode, searched.stdout.decode()) == (1, "")

    planted = parent / "planted"
    planted.write_text(f"x{people[7].identity.resident_id}x", encoding="utf-8")
    again = subprocess.run([*command[:7], str(planted)], input=patterns, capture_output=True, check=False)
    assert again.returncode == 0, "the search finds nothing even where something is"


def test_a_second_run_serves_the_console_and_stops_when_told(finished: DemoRun) -> None:
    port = free_port()
    log = finished.home.with_name("second.out")
    with log.open("wb") as out:
        child = subprocess.Popen(
            [*COMMAND, "--json", "--port", str(port), "--home", str(finished.home)],
            env=environment(),
            stdout=out,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        page = wait_for(f"http://127.0.0.1:{port}/accounts/login/", child, log)
        assert "夔门" in page
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
    printed = log.read_text(encoding="utf-8")
    told = json.loads(next(line for line in printed.splitlines() if line.startswith('{"rows_ingested"')))
    first = finished.summary
    same = ("rows_ingested", "columns_scanned", "values_sealed", "residual_clear_values", "cases_by_status", "verdicts")
    assert {name: told[name] for name in same} == {name: first[name] for name in same}
    assert all(staff_no in printed for staff_no in ("A001", "C101", "E101", "P001"))
    assert postmasters_of(finished.home) == []


def wait_for(address: str, child: "subprocess.Popen[bytes]", log: Path) -> str:
    """Return the page once the sign-ins are printed and the console answers; the collector's day uses another port."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until and child.poll() is None:
        if "控制台" in log.read_text(encoding="utf-8", errors="replace"):
            with opener.open(address, timeout=30) as answer:
                return str(answer.read().decode())
        with suppress(subprocess.TimeoutExpired):
            child.wait(1)
    pytest.fail("the second run ended before it served, or took too long")
