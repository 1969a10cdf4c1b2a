"""The web server: gunicorn with the keys unlocked before it forks, so that a passphrase is typed once.

The master unlocks and closes its database connections; each worker inherits the unlocked keyring and opens its own
connections. One sequencer thread per worker is enough: an advisory lock lets one of them number entries at a time.
"""

import socket
from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from gunicorn.app.base import BaseApplication
from typing_extensions import override

from kuimen.foundation.errors import UnavailableError

GRACE_SECONDS = 20


class PortTakenError(UnavailableError):
    """Somebody else listens where the console should."""

    code = "serve.port_taken"


def ensure_port_free(host: str, port: int) -> None:
    """Bind once to see whether the address can be had.

    Raises:
        PortTakenError: it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise PortTakenError(f"port {port} on {host} is taken; stop the other program or choose --port") from None


class ConsoleServer(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Serves the API and the console."""

    def __init__(self, *, host: str, port: int, workers: int, in_worker: Callable[[], Callable[[], None]]) -> None:
        """Prepare; `in_worker` runs in each worker after the fork and returns what stops it."""
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._workers = workers
        self._in_worker = in_worker
        self._stop: Callable[[], None] | None = None
        super().__init__()

    @override
    def load_config(self) -> None:
        settings: dict[str, Any] = {
            "bind": self._address,
            "workers": self._workers,
            "threads": 4,
            "worker_class": "gthread",
            "preload_app": True,
            "graceful_timeout": GRACE_SECONDS,
            "timeout": 120,
            "accesslog": None,
            "loglevel": "warning",
            "proc_name": "kuimen-serve",
            "limit_request_line": 4094,
            "pre_fork": lambda _arbiter, _worker: connections.close_all(),
            "post_worker_init": self._begin,
            "worker_exit": self._end,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def _begin(self, _worker: object) -> None:
        self._stop = self._in_worker()

    def _end(self, _arbiter: object, _worker: object) -> None:
        if self._stop is not None:
            self._stop()

    @override
    def load(self) -> WSGIHandler:
        from kuimen.entrypoints.installation.wsgi import application  # noqa: PLC0415 - settings exist only by now

        return application
