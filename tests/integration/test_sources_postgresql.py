"""PostgreSQL as a source: whatever the schema, it is described and sampled read-only, in nobody's way."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from fixtures.installed import Installation
from fixtures.lender import Lender, lender_database, mobile, person_name, resident_id
from kuimen.entrypoints.installation import servers
from kuimen.sources.opening import connection_parameters, open_source
from kuimen.sources.postgresql import PostgresSource
from kuimen.sources.relations import RelationInfo
from kuimen.sources.scan import ScanRow, scan_open, scan_source


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as database:
        yield database


def described(lender: Lender) -> dict[str, RelationInfo]:
    with open_source(lender.dsn) as source:
        return {f"{relation.schema}.{relation.name}": relation for relation in source.describe()}


def scanned(lender: Lender) -> dict[tuple[str | None, str | None], ScanRow]:
    return {(row.table, row.column): row for row in scan_source(lender.dsn, overlay="fictitious")}


def test_keys_comments_and_odd_names_are_described(lender: Lender) -> None:
    lender.execute(
        'CREATE SCHEMA "信贷"',
        'CREATE TABLE "信贷"."Kunden" (a int, "b c" text NOT NULL UNIQUE, PRIMARY KEY (a, "b c"))',
        """COMMENT ON COLUMN "信贷"."Kunden"."b c" IS '手机号码'""",
        'CREATE TABLE child (x int, y text, FOREIGN KEY (x, y) REFERENCES "信贷"."Kunden" (a, "b c"))',
    )
    found = described(lender)
    kunden = found["信贷.Kunden"]
    assert kunden.primary_key == ("a", "b c")
    assert kunden.column("b c").comment == "手机号码"
    assert not kunden.column("b c").nullable
    key = found["public.child"].foreign_keys[0]
    assert (key.columns, key.target_schema, key.target_table, key.target_columns) == (
        ("x", "y"),
        "信贷",
        "Kunden",
        ("a", "b c"),
    )


def test_values_of_every_type_are_read(lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE t (id serial, n numeric(11), b bigint, c char(20), a text[], j jsonb, d bytea, ip inet)",
        "INSERT INTO t (n, b, c, a, j, d, ip) SELECT 19990000000 + i, 19990000000 + i, (19990000000 + i)::text,"
        " ARRAY[(19990000000 + i)::text, NULL, '19990001111'], jsonb_build_object('phone', (19990000000 + i)::text),"
        " convert_to((19990000000 + i)::text, 'UTF8'), '10.1.2.3' FROM generate_series(1, 60) i",
    )
    rows = scanned(lender)
    for name in ("n", "b", "c", "a", "d"):
        assert rows["t", name].element == "mobile", name
    assert rows["t", "ip"].element == "ip"
    assert rows["t", "j"].element in {"free_text", "mobile"}
    assert rows["t", "id"].element is None


def test_a_sparse_column_is_found_in_a_long_table(lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE long (id int, spare text)",
        "INSERT INTO long SELECT i, CASE WHEN i % 2500 = 0 THEN '1999000' || lpad((i / 2500)::text, 4, '0') END"
        " FROM generate_series(1, 60000) i",
    )
    row = scanned(lender)["long", "spare"]
    assert row.element == "mobile"
    assert row.rows == 60_000
    assert row.sampled < 60_000


def test_one_phone_inside_a_remark_makes_the_text_personal(lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE notes (id int, remark text)",
        "INSERT INTO notes SELECT i, '老客户续贷，无异议' FROM generate_series(1, 80) i",
        "INSERT INTO notes VALUES (0, '客户改用手机 19990000001 联系')",
    )
    row = scanned(lender)["notes", "remark"]
    assert (row.element, row.secondary, row.category) == ("free_text", ("mobile",), "C2")


def test_order_numbers_with_a_lucky_check_digit_are_nothing(lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE orders (order_no text)",
        "INSERT INTO orders SELECT lpad(((i * 7919873::bigint) % 10000000000000000)::text, 16, '7')"
        " FROM generate_series(1, 400) i",
    )
    assert scanned(lender)["orders", "order_no"].element is None


def test_views_and_foreign_tables_are_named_and_partitions_read_through_their_parent(lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE p (id int, mobile text) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (1000)",
        "INSERT INTO p SELECT i, '1999000' || lpad(i::text, 4, '0') FROM generate_series(1, 50) i",
        "CREATE VIEW v AS SELECT * FROM p",
        "CREATE FOREIGN DATA WRAPPER nowhere",
        "CREATE SERVER s FOREIGN DATA WRAPPER nowhere",
        "CREATE FOREIGN TABLE f (mobile text) SERVER s",
        "SELECT lo_create(0)",
    )
    rows = scanned(lender)
    assert rows["p", "mobile"].element == "mobile"
    assert ("p1", "mobile") not in rows
    assert rows["v", None].state == rows["f", None].state == "not_read"
    assert "another server" in str(rows["f", None].reason)
    assert "large objects" in str(rows[None, None].reason)


def test_a_locked_table_is_named_and_the_rest_is_read(lender: Lender) -> None:
    lender.execute("CREATE TABLE a (mobile text)", "CREATE TABLE b (mobile text)")
    with lender.connect() as holder, holder.transaction():
        holder.execute("LOCK TABLE a IN ACCESS EXCLUSIVE MODE")
        with PostgresSource(connection_parameters(lender.dsn), lock_timeout_ms=100) as source:
            rows = {row.table: row for row in scan_open(source)}
    assert rows["a"].state == "not_read"
    assert "lock" in str(rows["a"].reason)
    assert rows["b"].state == "clear"


def test_scanning_writes_nothing_and_needs_only_select(lender: Lender, installation: Installation) -> None:
    role = f"reader_{lender.name}"
    lender.execute(
        "CREATE TABLE open_table (mobile text, secret_note text)",
        "INSERT INTO open_table SELECT '1999000' || lpad(i::text, 4, '0'), 'x' FROM generate_series(1, 30) i",
        "CREATE TABLE closed_table (mobile text)",
        "CREATE TABLE guarded (mobile text)",
        "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
    )
    with lender.connect() as connection:
        name = sql.Identifier(role)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'for-this-test'").format(name))
        connection.execute(sql.SQL("GRANT SELECT (mobile) ON open_table TO {}").format(name))
        connection.execute(sql.SQL("GRANT SELECT ON guarded TO {}").format(name))
    try:
        dsn = psycopg.conninfo.make_conninfo(lender.dsn, user=role, password="for-this-test")
        rows = {(row.table, row.column): row for row in scan_source(dsn, overlay="fictitious")}
    finally:
        lender.execute(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    assert rows["open_table", "mobile"].element == "mobile"
    assert rows["open_table", "secret_note"].state == "not_read"
    assert "permission" in str(rows["closed_table", None].reason)
    assert rows["guarded", None].state == "not_read"


def test_a_vanished_database_is_named_without_the_drivers_text(lender: Lender) -> None:
    from kuimen.sources.errors import SourceUnavailableError

    dsn = psycopg.conninfo.make_conninfo(lender.dsn, password="wrong-secret")
    with pytest.raises(SourceUnavailableError) as caught:
        list(scan_source(dsn))
    assert "wrong-secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_scan_never_shows_a_value(lender: Lender) -> None:
    lender.execute("CREATE TABLE c (xm text, id_no text, mobile text)")
    with lender.connect() as connection:
        for index in range(30):
            connection.execute(
                "INSERT INTO c VALUES (%s, %s, %s)", (person_name(index), resident_id(index), mobile(index))
            )
    text = str([row.as_json() for row in scan_source(lender.dsn, overlay="fictitious")])
    assert not any(resident_id(index) in text or mobile(index) in text for index in range(30))
    assert not any(person_name(index) in text for index in range(30))


def test_the_administrators_own_database_has_a_stable_identity(lender: Lender, installation: Installation) -> None:
    with open_source(lender.dsn) as source:
        assert source.fingerprint.endswith(f"/{lender.name}")
        assert source.label == f"local/{lender.name}"
    with open_source(installation.postgres.dsn(servers.ADMIN, "postgres")) as other:
        assert other.fingerprint != source.fingerprint
