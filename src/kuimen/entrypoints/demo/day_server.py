"""The server of the demonstration: `kuimen serve` in a child process, as an operator would start it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kuimen.entrypoints.demo.places import DemoPlaces
from kuimen.foundation.errors import UnavailableError

START_SECONDS = 60
STOP_SECONDS = 20


class ServerNotUpError(UnavailableError):
    """The console did not answer in time."""

    code = "demo.server"


def free_port() -> int:
    """Return a loopback port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(spot: DemoPlaces, *, port: int) -> Iterator[str]:
    """Run the server for the length of the block and give its address.

    Raises:
        ServerNotUpError: it did not come up; the operator's log says why.
    """
    log = spot.home.root / "serve.log"
    command = [
        sys.executable, "-m", "kuimen.entrypoints.cli", "serve", "--home", str(spot.home.root), "--port", str(port),
        "--credentials-file", str(spot.credentials_file), "--quiet",
    ]  # fmt: skip
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)  # noqa: S603 - our own command
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(child, address)
        yield address
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def _wait(child: "subprocess.Popen[bytes]", address: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if child.poll() is not None:
            break
        try:
            with opener.open(f"{address}/accounts/login/", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise ServerNotUpError("the console did not come up; see serve.log in the demonstration's home")
