"""Register a source and open it again."""

from pathlib import Path
from uuid import UUID

from django.db import transaction

from kuimen.foundation import clock
from kuimen.foundation.identifiers import new_ref
from kuimen.gate.audit import services as audit
from kuimen.governance.inventory import credentials
from kuimen.governance.inventory.errors import UnknownSourceError
from kuimen.governance.inventory.models import DataSource
from kuimen.governance.inventory.rules import SourceKind
from kuimen.sources.mysql import MySQLSource, is_mysql
from kuimen.sources.opening import connection_parameters, is_database, open_source
from kuimen.sources.postgresql import PostgresSource
from kuimen.sources.relations import Source

_SECRET_PARAMETERS = frozenset({"password", "sslpassword", "passfile"})


def register_source(
    location: str,
    *,
    actor: audit.Actor,
    credentials_file: Path | None = None,
    overlay: str | None = None,
    source: Source | None = None,
    keep_password: bool = True,
) -> DataSource:
    """Register a source, or find it again under the same identity and refresh its address.

    A password is sealed, so that controls can look again at the live source; the keys must be unlocked for that.
    Without `keep_password` it is dropped, and one that was sealed before stays.

    Raises:
        SourceLocationError, CredentialsFileError, SourceUnavailableError: it cannot be opened.
        KeysLockedError: there is a password to seal and nobody has unlocked the keys.
    """
    opened = source if source is not None else open_source(location, credentials_file=credentials_file)
    try:
        fingerprint, label = opened.fingerprint, opened.label
    finally:
        if source is None:
            opened.close()
    address: dict[str, str] = {"path": str(Path(location).expanduser().resolve())}
    password = None
    kind = SourceKind.FILES
    if is_database(location) or is_mysql(location):
        kind = SourceKind.MYSQL if is_mysql(location) else SourceKind.POSTGRESQL
        parameters = connection_parameters(location, credentials_file=credentials_file)
        address = {name: value for name, value in parameters.items() if name not in _SECRET_PARAMETERS}
        password = parameters.get("password") if keep_password else None
    with transaction.atomic():
        found = DataSource.objects.select_for_update().filter(fingerprint=fingerprint).first()
        row = found or DataSource(source_id=new_ref(), fingerprint=fingerprint, registered_at=clock.now())
        row.label, row.kind, row.location, row.overlay = label, kind.value, address, overlay or ""
        if password is not None:
            row.sealed_password = credentials.seal_password(row.source_id, password)
        row.save()
        if found is None:
            audit.record(
                "inventory.register_source",
                actor=actor,
                object_type="data_source",
                object_ref=str(row.source_id),
                facts={"label": label, "kind": kind.value},
            )
    return row


def reopen(row: DataSource) -> Source:
    """Open a registered source again, read-only.

    Raises:
        SourceCredentialsError: its password cannot be opened.
        SourceLocationError, SourceUnavailableError: it is not there any more.
    """
    if row.kind == SourceKind.FILES.value:
        return open_source(row.location["path"])
    if row.kind == SourceKind.MYSQL.value:
        return MySQLSource(connection_of(row))
    return PostgresSource(connection_of(row))


def connection_of(row: DataSource) -> dict[str, str]:
    """Return connection parameters of a registered database, password included; never print or store them.

    Raises:
        SourceCredentialsError: its password cannot be opened.
    """
    parameters = dict(row.location)
    if row.sealed_password is not None:
        parameters["password"] = credentials.open_password(row.source_id, bytes(row.sealed_password))
    return parameters


def source_of(source_id: UUID) -> DataSource:
    """Return a registered source.

    Raises:
        UnknownSourceError: none has this id.
    """
    row = DataSource.objects.filter(source_id=source_id).first()
    if row is None:
        raise UnknownSourceError("source_id: no such source is registered")
    return row
