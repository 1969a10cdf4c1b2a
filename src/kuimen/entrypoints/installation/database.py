"""Prepare both databases: roles, databases, migrations as the owner, privileges; safe to repeat."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django
import psycopg
from django.apps import apps
from django.core.management import call_command
from django.db import connections

from kuimen.entrypoints.installation import grants
from kuimen.entrypoints.installation.home import HOME_VARIABLE, InstallationHome, write_private
from kuimen.entrypoints.installation.servers import (
    ADMIN,
    KEYS_DATABASE,
    MAIN_DATABASE,
    OWNER,
    EmbeddedServer,
    ExternalServer,
    django_address,
    dsn,
    server_of,
)

SETTINGS_MODULE = "kuimen.entrypoints.installation.settings"
DATABASES = {"default": MAIN_DATABASE, "keys": KEYS_DATABASE}


def setup_django(home: InstallationHome) -> None:
    """Point Django at `home` and load it; call it once per process, before any model is imported."""
    os.environ[HOME_VARIABLE] = str(home.root)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS_MODULE)
    if not apps.ready:
        django.setup()


def prepare_databases(home: InstallationHome, *, server: EmbeddedServer | ExternalServer | None = None) -> None:
    """Bring both databases to the state of this release; the server must be running.

    Roles and databases are made on the embedded server only: on an operator's server the administrator makes them.

    Raises:
        ConfigurationError: an address of the operator's server is missing.
    """
    home.create()
    chosen = server or server_of(home)
    if isinstance(chosen, EmbeddedServer):
        _prepare_embedded(chosen)
    _draw_session_secret(home)
    setup_django(home)
    for alias, database in DATABASES.items():
        with acting_as_owner(chosen, alias, database):
            call_command("migrate", database=alias, interactive=False, verbosity=0)
            if alias == "default":
                call_command("createcachetable", database=alias, verbosity=0)
        with psycopg.connect(dsn(chosen, OWNER, database)) as owner:
            grants.apply_grants(owner, keys_database=alias == "keys")


@contextmanager
def acting_as_owner(server: EmbeddedServer | ExternalServer, alias: str, database: str) -> Iterator[None]:
    """Let this thread's connection `alias` be the owner's for the length of a block: migrations only."""
    connection = connections[alias]
    connection.close()
    settings = connection.settings_dict
    before = dict(settings)
    settings.update(django_address(server.connection(OWNER, database)))
    try:
        yield
    finally:
        connection.close()
        settings.clear()
        settings.update(before)


def _prepare_embedded(server: EmbeddedServer) -> None:
    passwords = {role: server.postgres.password(role) for role in grants.LOGIN_ROLES}
    with psycopg.connect(server.postgres.dsn(ADMIN, "postgres"), autocommit=True) as admin:
        grants.create_roles(admin, passwords)
        for database in DATABASES.values():
            grants.create_database(admin, database)
    for database in DATABASES.values():
        with psycopg.connect(server.postgres.dsn(ADMIN, database)) as admin:
            grants.lock_schema(admin)


def _draw_session_secret(home: InstallationHome) -> None:
    path = home.credentials / "session_secret"
    if not path.is_file():
        write_private(path, os.urandom(48).hex().encode())
