"""The configuration of the embedded server: nobody from outside comes in, no value comes into its log."""

from collections.abc import Mapping
from pathlib import Path

HBA = """\
# Local sockets only, a password for everybody.
local   all   all   scram-sha-256
"""

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "password_encryption": "'scram-sha-256'",
    "timezone": "'Asia/Shanghai'",
    "log_timezone": "'Asia/Shanghai'",
    # What follows keeps values out of the server's log: an ERROR's own text can quote one, so errors of statements
    # are not logged at all; the application reports them by code.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_statement": "'none'",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "-1",
    "log_destination": "'stderr'",
    "logging_collector": "on",
    "log_filename": "'postgresql-%a.log'",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_file_mode": "0600",
    "wal_level": "replica",
    "shared_buffers": "128MB",
    "max_connections": "120",
    "jit": "off",
}
UNDURABLE: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}  # a killed server still keeps its commits


def configuration_text(places: Mapping[str, Path], *, durable: bool) -> str:
    """Return the text of `postgresql.conf`.

    Args:
        places: names of settings that hold a path.
        durable: False for throw-away clusters.
    """
    settings = {**SETTINGS, **({} if durable else UNDURABLE), **{name: _quoted(path) for name, path in places.items()}}
    return "".join(f"{name} = {value}\n" for name, value in settings.items())


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("\\", "\\\\").replace("'", "''") + "'"
