"""Who may do what in the two databases: roles, privileges, and the insert-only tables of the audit log.

Privileges are taken away and given anew after every migration, so a table cannot keep more than this file says.
Until that happens a new table gives the application role SELECT and INSERT and nobody else anything.
"""

from typing import LiteralString

from psycopg import Connection, sql

from kuimen.entrypoints.installation.servers import (
    APPLICATION,
    ASSESSOR,
    KEYS,
    KEYS_DATABASE,
    OWNER,
)

INSERT_ONLY_PREFIXES = (
    "audit_", "assessment_", "loans_transaction", "collections_transition", "keys_shred", "retention_applied",
    "retention_certificate", "exchange_message", "releases_testdata",
)  # fmt: skip
READ_ONLY_TABLES = ("django_migrations",)
ASSESSED_PREFIXES = (
    "audit_", "access_", "approvals_", "consent_", "disclosure_", "inventory_", "protection_", "customers_", "loans_",
    "collections_", "assessment_", "documents_", "releases_", "retention_", "exchange_", "changeover_",
)  # fmt: skip
SECRET_COLUMNS = frozenset({"tag", "seed", "digest", "session_data", "data", "signed_fields"})
SECRET_WORDS = ("sealed", "password", "secret", "wrapped", "token")
LOGIN_ROLES = (OWNER, APPLICATION, ASSESSOR, KEYS)
ROLE_SETTINGS: tuple[LiteralString, ...] = (
    "ALTER ROLE {role} SET lock_timeout = '30s'",
    "ALTER ROLE {role} SET idle_in_transaction_session_timeout = '10min'",
)


def create_roles(admin: Connection, passwords: dict[str, str]) -> None:
    """Create the four roles, or bring existing ones back to what they may be.

    The server receives the SCRAM verifier; a clear password is in no statement.
    """
    for role, password in passwords.items():
        name = sql.Identifier(role)
        known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
        verifier = admin.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
        statement: LiteralString = "ALTER ROLE {} " if known else "CREATE ROLE {} "
        statement += "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT PASSWORD {}"
        admin.execute(sql.SQL(statement).format(name, sql.Literal(verifier)))
        if role != OWNER:
            for setting in ROLE_SETTINGS:
                admin.execute(sql.SQL(setting).format(role=name))
    admin.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(sql.Identifier(ASSESSOR)))


def create_database(admin: Connection, database: str, *, template: str | None = None) -> None:
    """Create `database` owned by the owner role, unless it exists; `admin` must be in autocommit.

    Args:
        admin: connection of the superuser.
        database: its name.
        template: another database of the same cluster to copy, nobody connected to it.
    """
    if admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone() is None:
        admin.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(database), sql.Identifier(OWNER), sql.Identifier(template or "template0")
            ),
        )
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))
    members = (KEYS,) if database.startswith(KEYS_DATABASE) else (APPLICATION, ASSESSOR)
    for role in members:
        admin.execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(database), sql.Identifier(role)),
        )


def lock_schema(admin: Connection) -> None:
    """Give schema public of the connected database to the owner, and to nobody else the right to create in it."""
    owner = sql.Identifier(OWNER)
    admin.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
    admin.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")


def apply_grants(owner: Connection, *, keys_database: bool = False) -> None:
    """Set every privilege of the connected database to what this file says, in one transaction.

    Args:
        owner: connection as the owner role.
        keys_database: whether it is the database of keys, where only the keys role works.
    """
    with owner.transaction():
        _take_everything(owner)
        worker = KEYS if keys_database else APPLICATION
        _run(owner, "GRANT USAGE ON SCHEMA public TO {}", worker)
        _run(owner, "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT ON TABLES TO {}", worker)
        _run(owner, "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {}", worker)
        _run(owner, "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}", worker)
        _run(owner, "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {}", worker)
        for table in tables(owner):
            _grant_table(owner, table, worker)
        if not keys_database:
            _grant_assessor(owner)


def tables(connection: Connection) -> list[str]:
    """Name the tables of schema public, partitions included, views not."""
    rows = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') ORDER BY c.relname",
    )
    return [str(name) for (name,) in rows]


def _take_everything(owner: Connection) -> None:
    for role in (APPLICATION, ASSESSOR, KEYS):
        _run(owner, "REVOKE ALL ON SCHEMA public FROM {}", role)
        _run(owner, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}", role)
        _run(owner, "REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {}", role)
        _run(owner, "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM {}", role)
    owner.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
    owner.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC")
    owner.execute("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")


def _grant_table(owner: Connection, table: str, worker: str) -> None:
    if table in READ_ONLY_TABLES:
        statement = "GRANT SELECT ON {table} TO {role}"
    elif table.startswith(INSERT_ONLY_PREFIXES):
        statement = "GRANT SELECT, INSERT ON {table} TO {role}"
    else:
        statement = "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}"
    owner.execute(sql.SQL(statement).format(table=sql.Identifier(table), role=sql.Identifier(worker)))


def _grant_assessor(owner: Connection) -> None:
    """Let the assessor read every column that holds neither a sealed value nor a secret."""
    role = sql.Identifier(ASSESSOR)
    owner.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
    rows = owner.execute(
        "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
        " WHERE table_schema = 'public' GROUP BY table_name",
    ).fetchall()
    for table, columns in rows:
        if not table.startswith(ASSESSED_PREFIXES):
            continue
        readable = [sql.Identifier(column) for column in columns if not _is_secret(column)]
        if readable:
            owner.execute(
                sql.SQL("GRANT SELECT ({}) ON {} TO {}").format(
                    sql.SQL(", ").join(readable), sql.Identifier(table), role
                ),
            )


def _is_secret(column: str) -> bool:
    return column in SECRET_COLUMNS or any(word in column for word in SECRET_WORDS)


def _run(owner: Connection, statement: LiteralString, role: str) -> None:
    owner.execute(sql.SQL(statement).format(sql.Identifier(role)))
