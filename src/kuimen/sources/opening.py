"""Turn what a person types — an address, a folder, a file — into a source."""

from pathlib import Path

from psycopg import Error as DriverError
from psycopg.conninfo import conninfo_to_dict

from kuimen.sources.errors import CredentialsFileError, SourceLocationError
from kuimen.sources.folder import FolderSource
from kuimen.sources.mysql import MySQLSource, is_mysql, mysql_parameters
from kuimen.sources.postgresql import PostgresSource
from kuimen.sources.relations import Source

_CREDENTIAL_KEYS = frozenset({"user", "password", "passfile", "sslcert", "sslkey", "sslpassword", "sslrootcert"})
_MAX_CREDENTIALS_BYTES = 65_536


def open_source(location: str, *, credentials_file: Path | None = None) -> Source:
    """Open a PostgreSQL database (`postgresql://…` or `dbname=…`), a MySQL one (`mysql://…`), a folder or a file.

    Args:
        location: address or path.
        credentials_file: `key=value` lines (user, password, sslcert …) or the password alone; databases only.

    Raises:
        SourceLocationError: neither a database address nor an existing path.
        CredentialsFileError: the credentials file is unreadable or malformed.
        SourceUnavailableError: the database does not answer.
    """
    if is_mysql(location):
        return MySQLSource(connection_parameters(location, credentials_file=credentials_file))
    if is_database(location):
        return PostgresSource(connection_parameters(location, credentials_file=credentials_file))
    path = Path(location).expanduser()
    if not path.exists():
        raise SourceLocationError("source: no database address, and no file or folder of this name exists")
    return FolderSource(path)


def is_database(location: str) -> bool:
    """Tell a PostgreSQL address from a path."""
    if location.startswith(("postgresql://", "postgres://")):
        return True
    return not is_mysql(location) and "=" in location and not Path(location).expanduser().exists()


def connection_parameters(location: str, *, credentials_file: Path | None = None) -> dict[str, str]:
    """Return libpq parameters of an address, or those of a MySQL address, completed from the credentials file.

    Raises:
        SourceLocationError: the address cannot be parsed. Its text is not repeated: it may hold a password.
        CredentialsFileError: the credentials file is unreadable or malformed.
    """
    if is_mysql(location):
        return mysql_parameters(location, {} if credentials_file is None else _read_credentials(credentials_file))
    try:
        parameters = {key: str(value) for key, value in conninfo_to_dict(location).items() if value is not None}
    except DriverError:
        raise SourceLocationError(
            "source: not a valid PostgreSQL address; write postgresql://HOST:PORT/DB or 'host=… dbname=…'"
        ) from None
    if credentials_file is not None:
        parameters |= _read_credentials(credentials_file)
    return parameters


def _read_credentials(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_CREDENTIALS_BYTES).decode()
    except (OSError, UnicodeDecodeError):
        raise CredentialsFileError("credentials_file: cannot be read as UTF-8 text; check path and mode") from None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise CredentialsFileError("credentials_file: is empty; write user=… and password=… or the password alone")
    pairs = [line.partition("=") for line in lines]
    if all(name.strip() in _CREDENTIAL_KEYS for name, _, _ in pairs):
        return {name.strip(): value.strip() for name, _, value in pairs}
    if len(lines) == 1:
        return {"password": lines[0]}
    raise CredentialsFileError(f"credentials_file: keys may be {', '.join(sorted(_CREDENTIAL_KEYS))}")
