"""The main job, from an empty machine to proof: a lender's plain-text database in, everything else out."""

import gc
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from psycopg.conninfo import make_conninfo

from kuimen.entrypoints.console.server import ensure_port_free
from kuimen.entrypoints.demo.day_server import free_port
from kuimen.entrypoints.demo.lender import create_lender
from kuimen.entrypoints.demo.people import OFFICERS, SignIn, draw_password
from kuimen.entrypoints.demo.places import DemoPlaces, keep_secret, places, start_afresh
from kuimen.entrypoints.demo.stage import Stage
from kuimen.entrypoints.demo.summary import DemoSummary
from kuimen.entrypoints.installation.config import Configuration
from kuimen.entrypoints.installation.home import write_private
from kuimen.entrypoints.installation.install import Officer, initialise
from kuimen.entrypoints.installation.postgres import ADMIN, EmbeddedPostgres
from kuimen.entrypoints.installation.servers import EmbeddedServer
from kuimen.entrypoints.terminal.output import emit_json, stderr, stdout
from kuimen.foundation.sensitive import Sensitive

INSTITUTION = "夔峡消费金融（演示）"


def run_demo(*, chosen_home: Path | None, serve: bool, as_json: bool, port: int) -> None:
    """Run everything; with `serve` the console stays open until it is stopped.

    Raises:
        PortTakenError, NotADemoError: before anything is touched.
    """
    began = time.perf_counter()
    spot = places(chosen_home)
    port = port if serve else free_port()
    ensure_port_free("127.0.0.1", port)
    stage, summary = Stage(), DemoSummary()
    with stage.step("准备演示环境", "clear the stage, start PostgreSQL"):
        start_afresh(spot)
    with _stopped_by_signals(), EmbeddedPostgres(spot.home).running() as postgres:
        lender_name = _make_lender(spot, postgres, stage, summary)
        sign_ins = _found_institution(spot, postgres, stage)
        from kuimen.entrypoints.demo import acts  # noqa: PLC0415 - settings exist only by now

        gc.freeze()  # what is loaded by now stays; no need to look at it with every collection of the bulk work
        acts.perform(spot, lender_name, stage=stage, summary=summary, port=port, sign_ins=sign_ins)
        summary.seconds = time.perf_counter() - began
        (stderr if as_json else stdout).print(summary.as_table())
        if as_json:
            emit_json(summary.as_json())
        if serve:
            acts.stay_open(spot, port=port, sign_ins=sign_ins)


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let a signal to end unwind like Ctrl-C, so that server and database stop with us; a second one is unheard."""
    heard = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is not signal.SIG_IGN]

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _make_lender(spot: DemoPlaces, postgres: EmbeddedPostgres, stage: Stage, summary: DemoSummary) -> str:
    """Create the lender's database and files, and return the address at which its administrator protects it.

    The administrator, not the lender's own role: scrubbing statistics, log and write-ahead log, and reading the
    server's files for the proof, are an administrator's rights. The password goes into a 0600 file.
    """
    with stage.step("生成放贷机构明文库 legacy_core", "the lender's plain-text database and files") as advance:
        made = create_lender(postgres.dsn(ADMIN, "postgres"), spot.files, progress=advance)
    summary.rows_ingested = sum(made.rows.values())
    address = postgres.connection(ADMIN, made.database)
    write_private(spot.lender_file, f"user={ADMIN}\npassword={address['password']}\n".encode())
    stderr.print(f"   {len(made.rows)} 张表 tables, {summary.rows_ingested:,} 行 rows; {len(made.files)} 个文件 files")
    return make_conninfo("", **{name: value for name, value in address.items() if name not in {"password", "user"}})


def _found_institution(spot: DemoPlaces, postgres: EmbeddedPostgres, stage: Stage) -> list[SignIn]:
    """Run `kuimen init` with two officers and hire the staff."""
    with stage.step("初始化夔门：密钥、两位主管、岗位", "keys, two officers, posts"):
        passphrases = {staff_no: f"Baidi-{secrets.token_urlsafe(18)}" for staff_no, _ in OFFICERS}
        passwords = {staff_no: draw_password() for staff_no, _ in OFFICERS}
        write_private(spot.credentials_file, "".join(f"{who}={text}\n" for who, text in passphrases.items()).encode())
        initialise(
            spot.home,
            server=EmbeddedServer(postgres=postgres),
            configuration=Configuration(institution_name=INSTITUTION, overlay="fictitious", currency="USD"),
            officers=[
                Officer(
                    staff_no=staff_no,
                    display_name=name,
                    password=Sensitive(passwords[staff_no], element="password"),
                    passphrase=Sensitive(passphrases[staff_no], element="password"),
                )
                for staff_no, name in OFFICERS
            ],
        )
        from kuimen.entrypoints.demo.staff import hire_everybody  # noqa: PLC0415 - settings exist only by now

        sign_ins = hire_everybody(passwords)
    keep_secret(
        spot.sign_ins_file,
        [{"staff_no": s.staff_no, "role": s.role, "password": s.password, "totp_seed": s.seed} for s in sign_ins],
    )
    return sign_ins
