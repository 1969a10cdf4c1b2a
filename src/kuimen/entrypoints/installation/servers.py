"""Which server holds the two databases: the embedded one, or the operator's own."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from kuimen.entrypoints.installation.errors import ConfigurationError
from kuimen.entrypoints.installation.home import InstallationHome
from kuimen.entrypoints.installation.postgres import ADMIN, EmbeddedPostgres

OWNER = "kuimen_owner"
APPLICATION = "kuimen_app"
ASSESSOR = "kuimen_assessor"
KEYS = "kuimen_keys"
MAIN_DATABASE = "kuimen"
KEYS_DATABASE = "kuimen_keys"

URL_VARIABLE = "DATABASE_URL"
KEYS_URL_VARIABLE = "KUIMEN_KEYS_DATABASE_URL"
OWNER_URL_VARIABLE = "KUIMEN_OWNER_DATABASE_URL"
KEYS_OWNER_URL_VARIABLE = "KUIMEN_KEYS_OWNER_DATABASE_URL"
SUFFIX_VARIABLE = "KUIMEN_DATABASE_SUFFIX"  # a second pair of databases on the embedded server
ASSESSOR_URL_VARIABLE = "KUIMEN_ASSESSOR_DATABASE_URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedServer:
    """Both databases live in the server that this installation starts itself."""

    postgres: EmbeddedPostgres

    @property
    def prepares_itself(self) -> bool:
        """Kuimen makes roles and databases here."""
        return True

    def connection(self, role: str, database: str) -> dict[str, str]:
        """Return libpq parameters of `role` in `database`."""
        return self.postgres.connection(role, database)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Hold the server up for the length of a block."""
        with self.postgres.running():
            yield


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalServer:
    """The operator runs the server, made the roles, and tells each one's address by environment variable."""

    urls: Mapping[tuple[str, str], str] = field(repr=False)

    @property
    def prepares_itself(self) -> bool:
        """The operator's administrator makes roles and databases."""
        return False

    def connection(self, role: str, database: str) -> dict[str, str]:
        """Return libpq parameters of `role` in `database`.

        Raises:
            ConfigurationError: the variable for this role is not set, or is no libpq address.
        """
        variable = self.urls.get((role, database), "")
        url = os.environ.get(variable, "")
        if not url:
            raise ConfigurationError(f"set {variable or 'an address'} to reach the server as {role}")
        try:
            parameters = conninfo_to_dict(url)
        except ProgrammingError:
            raise ConfigurationError(f"{variable} is not a PostgreSQL address") from None
        return {name: str(value) for name, value in parameters.items() if value is not None}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Do nothing: the operator keeps the server up."""
        yield


EXTERNAL_VARIABLES: Mapping[tuple[str, str], str] = {
    (APPLICATION, MAIN_DATABASE): URL_VARIABLE,
    (KEYS, KEYS_DATABASE): KEYS_URL_VARIABLE,
    (OWNER, MAIN_DATABASE): OWNER_URL_VARIABLE,
    (OWNER, KEYS_DATABASE): KEYS_OWNER_URL_VARIABLE,
    (ASSESSOR, MAIN_DATABASE): ASSESSOR_URL_VARIABLE,
}


def server_of(home: InstallationHome) -> EmbeddedServer | ExternalServer:
    """Choose by ``DATABASE_URL``: set means the operator's server, unset means the embedded one."""
    if os.environ.get(URL_VARIABLE):
        return ExternalServer(urls=EXTERNAL_VARIABLES)
    return EmbeddedServer(postgres=EmbeddedPostgres(home))


def dsn(server: EmbeddedServer | ExternalServer, role: str, database: str) -> str:
    """Return the libpq connection string of a role, with its password."""
    return make_conninfo("", **server.connection(role, database))


def django_database(home: InstallationHome, role: str, database: str) -> dict[str, Any]:
    """Return one entry of Django's DATABASES.

    Before the databases are prepared the entry leads nowhere, so that settings can be read without an installation.
    """
    server = server_of(home)
    database += os.environ.get(SUFFIX_VARIABLE, "") if server.prepares_itself else ""
    entry: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database,
        "USER": role,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
    if isinstance(server, EmbeddedServer) and not server.postgres.knows(role):
        return {**entry, "HOST": str(home.postgres / "socket")}
    return {**entry, **django_address(server.connection(role, database))}


def django_address(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Translate libpq parameters to Django's names; what Django has no name for stays an option of the driver."""
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    address: dict[str, Any] = {"OPTIONS": {name: value for name, value in parameters.items() if name not in names}}
    return {**address, **{names[name]: value for name, value in parameters.items() if name in names}}


__all__ = [
    "ADMIN",
    "APPLICATION",
    "ASSESSOR",
    "KEYS",
    "KEYS_DATABASE",
    "MAIN_DATABASE",
    "OWNER",
    "django_address",
    "django_database",
    "dsn",
    "server_of",
]
