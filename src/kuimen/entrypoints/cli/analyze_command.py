"""`kuimen analyze-server`: Presidio's REST analyzer on this machine, for programs that speak it already."""

import threading
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import click
from typing_extensions import override

from kuimen.entrypoints.presidio.engine import AnalyzerEngine
from kuimen.entrypoints.presidio.service import AnalyzerService
from kuimen.foundation.errors import UnavailableError

SECONDS_A_REQUEST = 20
MOST_AT_ONCE = 32


class AnalyzerPortError(UnavailableError):
    """The address is taken or may not be used."""

    code = "analyze.port"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - as the standard library passes them
        super().__init__(*arguments, **named)
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        self._free.acquire()  # the next caller waits in the queue of the socket
        super().process_request(request, client_address)

    @override
    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a trace may hold what was sent."""


class _Handler(WSGIRequestHandler):
    timeout = SECONDS_A_REQUEST

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Write no line for a request: addresses and queries are nobody's business here."""


@click.command("analyze-server")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at; there is no sign-in.")
@click.option("--port", default=5002, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--overlay", type=click.Choice(["fictitious"]), help="Recognise the demonstration's impossible identities."
)
def analyze_server(*, host: str, port: int, overlay: str | None) -> None:
    """Answer Presidio's REST calls (/analyze, /health, /supportedentities) with Kuimen's recognition.

    Bodies of up to 1 MiB are read, never logged and never kept. Other servers take the same application as
    `kuimen.entrypoints.presidio.service:AnalyzerService`.
    """
    service = AnalyzerService(AnalyzerEngine(overlay=overlay))
    try:
        server = make_server(host, port, service, server_class=_Server, handler_class=_Handler)
    except OSError as error:
        raise AnalyzerPortError(f"port: cannot be opened ({error.strerror}); choose another with --port") from None
    with server:
        click.echo(f"http://{host}:{server.server_port}")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
