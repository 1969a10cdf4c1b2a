"""An operator's own server, told by address: Kuimen migrates and grants there, and starts no server of its own."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fixtures.installed import Installation
from kuimen.entrypoints.installation import grants, servers

PREPARE = """
import sys
from kuimen.entrypoints.installation import config, database, servers
from kuimen.entrypoints.installation.home import InstallationHome
home = InstallationHome.locate(sys.argv[1])
home.create()
config.save(home, config.Configuration(institution_name="测试小贷"))
assert not servers.server_of(home).prepares_itself
database.prepare_databases(home)
from django.db import connection, transaction
from kuimen.gate.audit import services as audit
with transaction.atomic():
    audit.record("test.deed", actor=audit.SYSTEM)
with connection.cursor() as cursor:
    cursor.execute("SELECT current_user, current_database(), count(*) FROM audit_entry")
    print(*cursor.fetchone())
"""


@pytest.mark.slow
def test_an_operators_server_is_migrated_and_used_as_the_application_role(
    installation: Installation, tmp_path: Path
) -> None:
    main, keys = "operators_main", f"{servers.KEYS_DATABASE}_operators"
    postgres = installation.postgres
    with psycopg.connect(postgres.dsn(servers.ADMIN, "postgres"), autocommit=True) as admin:
        for name in (main, keys):
            grants.create_database(admin, name)
            with psycopg.connect(postgres.dsn(servers.ADMIN, name)) as inside:
                grants.lock_schema(inside)
        addresses = {
            servers.URL_VARIABLE: postgres.dsn(servers.APPLICATION, main),
            servers.KEYS_URL_VARIABLE: postgres.dsn(servers.KEYS, keys),
            servers.OWNER_URL_VARIABLE: postgres.dsn(servers.OWNER, main),
            servers.KEYS_OWNER_URL_VARIABLE: postgres.dsn(servers.OWNER, keys),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KUIMEN", "DJANGO"))}
        done = subprocess.run(
            [sys.executable, "-c", PREPARE, str(tmp_path / "home")],
            capture_output=True,
            text=True,
            check=False,
            env={**kept, **addresses},
        )
        try:
            assert done.stdout.split() == ["kuimen_app", main, "1"], done.stderr
            assert not (tmp_path / "home" / "postgres").exists()
        finally:
            for name in (main, keys):
                admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
