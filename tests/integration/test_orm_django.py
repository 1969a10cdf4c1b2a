"""Django models with sealed fields: an application has settings of its own, so its checks run in a process apart."""

import subprocess
import sys
from pathlib import Path

CHECKS = Path(__file__).parent / "django_shop" / "checks.py"
TESTS = CHECKS.parent.parent.parent


def test_a_django_application_seals_searches_and_refuses() -> None:
    alone = ["-c", "/dev/null", "--noconftest", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist"]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "--rootdir", TESTS, *alone, CHECKS],
        capture_output=True,
        encoding="utf-8",
        cwd=TESTS,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "12 passed" in done.stdout
