"""What each database role may do, and that nothing more stays after a migration."""

import psycopg
import pytest
from psycopg import sql

from fixtures.installed import System
from kuimen.entrypoints.installation import grants, servers

COMMITMENTS = ("sm3", "sha256", "digest", "signature")
REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (a int)",
        "ALTER TABLE access_staff ADD COLUMN phone text",
        "DROP TABLE audit_entry",
        "TRUNCATE access_staff CASCADE",
        "CREATE SCHEMA mine",
        "CREATE TEMPORARY TABLE t (a int)",
        "DELETE FROM django_migrations",
        "SET SESSION AUTHORIZATION kuimen_owner",
        "COPY audit_entry TO PROGRAM 'cat'",
        "ALTER ROLE kuimen_app SUPERUSER",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    ],
)
def test_the_application_role_changes_no_structure(bare_system: System, statement: str) -> None:
    with bare_system.connect() as session, pytest.raises(REFUSED):
        session.execute(statement.encode())


def test_each_role_enters_its_own_database_only(bare_system: System) -> None:
    for role, keys in ((servers.APPLICATION, True), (servers.ASSESSOR, True), (servers.KEYS, False)):
        with pytest.raises(psycopg.OperationalError):
            bare_system.connect(role, keys=keys)
    for role, keys in ((servers.APPLICATION, False), (servers.ASSESSOR, False), (servers.KEYS, True)):
        bare_system.connect(role, keys=keys).close()


def test_no_table_of_the_log_takes_more_than_inserts_from_the_application(bare_system: System) -> None:
    with bare_system.connect(servers.ADMIN) as session:
        found = session.execute(
            "SELECT relname, has_table_privilege('kuimen_app', oid, 'SELECT'),"
            " has_table_privilege('kuimen_app', oid, 'INSERT'),"
            " has_table_privilege('kuimen_app', oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER, REFERENCES')"
            " FROM pg_class WHERE relkind = 'r' AND relname LIKE 'audit\\_%' ORDER BY relname"
        ).fetchall()
    assert {name for name, *_ in found} >= {"audit_entry", "audit_sequenced", "audit_node", "audit_checkpoint"}
    assert {tuple(rights) for _, *rights in found} == {(True, True, False)}


def test_the_assessor_reads_evidence_and_no_sealed_value_or_secret(bare_system: System) -> None:
    with bare_system.connect(servers.ASSESSOR) as session:
        session.execute("SELECT count(*) FROM audit_entry")
        session.execute("SELECT staff_no FROM access_staff")
        for statement in (
            "SELECT password FROM access_staff",
            "SELECT sealed FROM vault_record",
            "SELECT session_data FROM django_session",
            "SELECT data FROM mfa_authenticator",
            "UPDATE access_staff SET staff_no = 'x'",
            "INSERT INTO audit_entry DEFAULT VALUES",
        ):
            with pytest.raises(REFUSED):
                session.execute(statement.encode())


def test_a_right_given_by_hand_does_not_outlive_the_next_migration(bare_system: System) -> None:
    with bare_system.connect(servers.OWNER) as owner:
        owner.execute("GRANT ALL ON audit_entry TO kuimen_app")
        owner.execute("GRANT SELECT ON access_staff TO PUBLIC")
        grants.apply_grants(owner)
    with bare_system.connect() as session, pytest.raises(REFUSED):
        session.execute("DELETE FROM audit_entry")
    with bare_system.connect(servers.ASSESSOR) as session, pytest.raises(REFUSED):
        session.execute("SELECT password FROM access_staff")


def test_a_new_table_starts_without_update_and_delete(bare_system: System) -> None:
    with bare_system.connect(servers.OWNER) as owner:
        owner.execute("CREATE TABLE fresh (a int)")
    with bare_system.connect() as session:
        session.execute("INSERT INTO fresh VALUES (1)")
        for statement in (b"UPDATE fresh SET a = 2", b"DELETE FROM fresh"):
            with pytest.raises(REFUSED):
                session.execute(statement)
    with bare_system.connect(servers.ASSESSOR) as session, pytest.raises(REFUSED):
        session.execute("SELECT * FROM fresh")


def test_no_sealed_table_lacks_its_place_among_the_secrets(bare_system: System) -> None:
    """Every binary column outside the log must be named a secret or unreadable to the assessor."""
    with bare_system.connect(servers.ASSESSOR) as session:
        readable = session.execute(
            "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.atttypid = 'bytea'::regtype"
            " AND a.attnum > 0 AND has_column_privilege(c.oid, a.attnum, 'SELECT')"
        ).fetchall()
    outside = {(table, column) for table, column in readable if not table.startswith("audit_")}
    assert {pair for pair in outside if not pair[1].endswith(COMMITMENTS)} <= {("assessment_evidenceitem", "body")}


def test_passwords_reach_the_server_only_as_verifiers(bare_system: System) -> None:
    with bare_system.connect(servers.ADMIN) as session:
        for role in grants.LOGIN_ROLES:
            (stored,) = session.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (role,)).fetchone() or (
                "",
            )
            assert stored.startswith("SCRAM-SHA-256$")
        assert session.execute(
            sql.SQL("SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname LIKE 'kuimen%'")
        ).fetchone() == (1,)
