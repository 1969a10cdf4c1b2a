"""`kuimen serve` and `kuimen worker`: the processes that hold keys."""

from collections.abc import Callable
from pathlib import Path

import click

from kuimen.entrypoints.cli.installed import home_option, unlock_options, unlocked
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.terminal.output import emit_json, stdout


def _begin_sequencing() -> Callable[[], None]:
    """Start this process's sequencer and return what ends it."""
    from kuimen.gate.audit.services import SequencerThread
    from kuimen.gate.keys import services as keys

    thread = SequencerThread(keys.keyring().signer())
    thread.start()
    return thread.end


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; put a TLS proxy in front of any other.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port; by default the configured one.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 32))
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one JSON object.")
@unlock_options
@home_option
def serve(
    *, host: str, port: int | None, workers: int, quiet: bool, as_json: bool, credentials_file: Path | None,
    passphrase_fd: int | None, home: InstallationHome,
) -> None:  # fmt: skip
    """启动控制台与接口 Run the console and the API; the keys are unlocked once and shared with the workers."""
    from kuimen.entrypoints.console.server import ConsoleServer, ensure_port_free
    from kuimen.entrypoints.installation import config

    chosen = port or config.load(home).port
    ensure_port_free(host, chosen)
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        if as_json:
            emit_json({"url": f"http://{host}:{chosen}", "workers": workers})
        elif not quiet:
            stdout.print(f"控制台 Console: http://{host}:{chosen}  (Ctrl-C 停止 stops)")
        ConsoleServer(host=host, port=chosen, workers=workers, in_worker=_begin_sequencing).run()


@click.command()
@click.option("--once", is_flag=True, help="做完等待的任务即停止 Do what waits and stop.")
@click.option("--json", "as_json", is_flag=True, help="以 JSON 报告起止 Say when it began and ended as JSON objects.")
@unlock_options
@home_option
def worker(
    *, once: bool, as_json: bool, credentials_file: Path | None, passphrase_fd: int | None, home: InstallationHome
) -> None:
    """运行后台任务 Run the background jobs: case building, re-scans, expiry of rights, the nightly assessment."""
    with unlocked(home, file=credentials_file, descriptor=passphrase_fd):
        from kuimen.entrypoints.worker.running import run_worker

        end = _begin_sequencing()
        if as_json:
            emit_json({"worker": "started", "once": once})
        try:
            run_worker(once=once)
        finally:
            end()
        if as_json:
            emit_json({"worker": "stopped", "once": once})
