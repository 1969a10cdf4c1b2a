"""A real installation in a temporary home: durable PostgreSQL, both databases, root key of two custodians, staff."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg import sql

from kuimen.entrypoints.demo.people import SignIn, draw_password
from kuimen.entrypoints.demo.places import DemoPlaces
from kuimen.entrypoints.installation.config import Configuration
from kuimen.entrypoints.installation.home import InstallationHome, write_private
from kuimen.entrypoints.installation.install import Officer, initialise
from kuimen.entrypoints.installation.postgres import ADMIN, EmbeddedPostgres
from kuimen.foundation import clock
from kuimen.foundation.sensitive import Sensitive

OFFICERS = (("A001", "主管甲"), ("A002", "主管乙"))
PLAIN = "bench_plain"
FOREIGN_VARIABLES = ("DATABASE_URL", "KUIMEN_OVERLAY", "KUIMEN_DATABASE_SUFFIX", "KUIMEN_CREDENTIALS_FILE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """The installation of a run; Django is loaded, the keys are unlocked."""

    spot: DemoPlaces
    postgres: EmbeddedPostgres

    def plain(self, database: str = PLAIN) -> psycopg.Connection:
        """Open a bare connection to a database of this server that Kuimen has nothing to do with."""
        return psycopg.connect(self.postgres.dsn(ADMIN, database), autocommit=True)

    def make_database(self, name: str) -> str:
        """Make an empty database and return its address."""
        with psycopg.connect(self.postgres.dsn(ADMIN, "postgres"), autocommit=True) as admin:
            admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name)))
        return self.postgres.dsn(ADMIN, name)

    def hire(self, staff_no: str, *, post: str, role: str) -> SignIn:
        """Hire somebody as the rules want it: one officer applies, the other approves, a second factor is enrolled."""
        from kuimen.entrypoints.demo.staff import complete_file, enrol, subject  # noqa: PLC0415 - settings exist only by now
        from kuimen.gate.access import services as access  # noqa: PLC0415
        from kuimen.gate.access.rules import Role  # noqa: PLC0415

        maker, checker = (subject(one) for one, _ in OFFICERS)
        password = draw_password()
        access.register_staff(
            staff_no,
            display_name=f"员工{staff_no}",
            password=Sensitive(password, element="password"),
            officer=maker,
            second=checker,
            agency="",
        )
        complete_file(staff_no, officer=maker)
        access.assign_post(staff_no, post=post, officer=maker, second=checker)
        grant = access.apply_for_role(
            staff_no,
            role=Role(role),
            post=post,
            valid_until=clock.now() + timedelta(days=90),
            applicant=maker,
            reason="基准测试",
        )
        access.approve_grant(grant, officer=checker)
        return enrol(staff_no, password=password, role=role)


@contextmanager
def temporary_installation() -> Iterator[Installed]:
    """Make an installation beside no other, and leave nothing of it."""
    for variable in FOREIGN_VARIABLES:
        os.environ.pop(variable, None)
    folder = Path(tempfile.mkdtemp(prefix="kuimen-bench-"))
    home = folder / "home"
    home.mkdir(mode=0o700)
    if os.geteuid() == 0:
        for one in (folder, home):
            one.chmod(0o711)  # the server runs as a user of its own and must pass
    spot = DemoPlaces(home=InstallationHome.locate(home))
    postgres = EmbeddedPostgres(spot.home)
    try:
        with postgres.running():
            _initialise(spot)
            installed = Installed(spot=spot, postgres=postgres)
            installed.make_database(PLAIN)
            try:
                yield installed
            finally:
                from django.db import connections  # noqa: PLC0415 - settings exist only by now

                connections.close_all()
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(spot: DemoPlaces) -> None:
    spot.secrets.mkdir(mode=0o700)
    passphrases = {staff_no: secrets.token_urlsafe(18) for staff_no, _ in OFFICERS}
    write_private(spot.credentials_file, "".join(f"{who}={text}\n" for who, text in passphrases.items()).encode())
    initialise(
        spot.home,
        configuration=Configuration(institution_name="基准小贷", overlay="fictitious"),
        officers=[
            Officer(
                staff_no=staff_no,
                display_name=name,
                password=Sensitive(draw_password(), element="password"),
                passphrase=Sensitive(passphrases[staff_no], element="password"),
            )
            for staff_no, name in OFFICERS
        ],
    )
    from kuimen.entrypoints.demo.staff import enrol  # noqa: PLC0415 - settings exist only by now

    for staff_no, _ in OFFICERS:
        enrol(staff_no, password="", role="security_officer")
