"""MySQL and MariaDB as a source: described and sampled read-only, in nobody's way; what fails is named."""

import itertools
from collections.abc import Iterator

import pymysql
import pytest

from fixtures.lender import mobile, person_name, resident_id
from fixtures.mariadb import MariaDB, mariadb
from kuimen.sources.errors import RelationGoneError, SourceLocationError, SourceUnavailableError
from kuimen.sources.mysql import MySQLSource, label_of, mysql_parameters
from kuimen.sources.opening import is_database, open_source
from kuimen.sources.relations import RelationKind
from kuimen.sources.scan import ScanRow, is_partial, scan_open, scan_source

__all__ = ["mariadb"]
_numbers = itertools.count(1)
PEOPLE = 60


@pytest.fixture
def database(mariadb: MariaDB) -> Iterator[str]:
    name = f"lender_{next(_numbers)}"
    mariadb.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield name
    mariadb.execute(f"DROP DATABASE IF EXISTS {name}")


def fill(mariadb: MariaDB, database: str, *, people: int = PEOPLE) -> None:
    mariadb.execute(
        "CREATE TABLE `kh 信息` (id bigint PRIMARY KEY AUTO_INCREMENT, `xm` varchar(20) COMMENT '客户姓名',"
        " `sj``h%m` varchar(11), zjhm char(18) UNIQUE, ye decimal(12,2), bz text, foto blob, lok point,"
        " wann datetime, frei json, flag bit(1)) COMMENT '客户'",
        "CREATE TABLE vertrag (nr int PRIMARY KEY, kunde bigint, FOREIGN KEY (kunde) REFERENCES `kh 信息`(id))",
        "CREATE VIEW sicht AS SELECT xm FROM `kh 信息`",
        database=database,
    )
    with mariadb.connect(database) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO `kh 信息` (xm, `sj``h%%m`, zjhm, ye, bz, foto, lok, wann, frei, flag)"
            " VALUES (%s, %s, %s, %s, %s, %s, POINT(1, 2), NOW(), %s, b'1')",
            [
                (
                    person_name(index), mobile(index), resident_id(index), 100 + index,
                    f"已致电{mobile(index)},客户称下周还款" if index % 2 else None, b"\xff\x00\x01", '{"a": 1}',
                )
                for index in range(people)
            ],
        )  # fmt: skip


def by_column(rows: list[ScanRow]) -> dict[tuple[str | None, str | None], ScanRow]:
    return {(row.table, row.column): row for row in rows}


def test_a_schema_is_described_with_its_keys_and_its_columns_are_named(mariadb: MariaDB, database: str) -> None:
    fill(mariadb, database)
    with open_source(mariadb.address(database)) as source:
        relations = {relation.name: relation for relation in source.describe()}
        rows = by_column(list(scan_open(source, overlay="fictitious")))
        assert source.label == f"local/{database}"
        assert database in source.fingerprint
    people = relations["kh 信息"]
    assert people.primary_key == ("id",)
    assert {key.columns for key in people.unique_keys} == {("id",), ("zjhm",)}
    assert people.column("xm").comment == "客户姓名"
    assert relations["vertrag"].foreign_keys[0].target_table == "kh 信息"
    assert relations["sicht"].kind is RelationKind.VIEW
    found = {column: rows["kh 信息", column].element for column in ("xm", "sj`h%m", "zjhm")}
    assert found == {"xm": "person_name", "sj`h%m": "mobile", "zjhm": "resident_id"}
    assert rows["kh 信息", "zjhm"].rows == PEOPLE
    assert "mobile" in rows["kh 信息", "bz"].secondary
    assert not is_partial(rows.values()), "a view holds nothing of its own"
    assert not any(mobile(index) in str([row.as_json() for row in rows.values()]) for index in range(PEOPLE))


def test_an_account_that_may_only_read_is_enough_and_sees_what_it_may(mariadb: MariaDB, database: str) -> None:
    fill(mariadb, database)
    mariadb.execute(
        "CREATE TABLE zu (mobile varchar(11))",
        "CREATE TABLE halb (mobile varchar(11), geheim text)",
        "INSERT INTO halb (mobile) SELECT concat('1999000', lpad(seq, 4, '0')) FROM seq_1_to_50",
        f"CREATE USER IF NOT EXISTS 'leser{database}'@'localhost'",
        f"GRANT SELECT ON {database}.`kh 信息` TO 'leser{database}'@'localhost'",
        f"GRANT SELECT (mobile) ON {database}.halb TO 'leser{database}'@'localhost'",
        database=database,
    )
    with open_source(mariadb.address(database, user=f"leser{database}")) as source:
        assert isinstance(source, MySQLSource)
        rows = by_column(list(scan_open(source, overlay="fictitious")))
        with pytest.raises(pymysql.Error):
            source._rows("INSERT INTO halb (mobile) VALUES ('1')")
    assert rows["kh 信息", "zjhm"].element == "resident_id"
    assert rows["halb", "mobile"].element == "mobile"
    assert ("halb", "geheim") not in rows


def test_even_an_administrators_session_cannot_write(mariadb: MariaDB, database: str) -> None:
    fill(mariadb, database)
    with open_source(mariadb.address(database)) as source:
        assert isinstance(source, MySQLSource)
        with pytest.raises(pymysql.Error):
            source._rows("DELETE FROM vertrag")


def test_a_large_table_is_sampled_over_its_whole_key_and_nobody_waits(mariadb: MariaDB, database: str) -> None:
    mariadb.execute(
        "CREATE TABLE t (id bigint PRIMARY KEY, mobile varchar(11), selten varchar(11))",
        "INSERT INTO t SELECT seq, concat('1999000', lpad(seq % 10000, 4, '0')),"
        " IF(seq = 19990, '19990001234', NULL) FROM seq_1_to_20000",
        database=database,
    )
    with open_source(mariadb.address(database)) as source, mariadb.connect(database) as writer:
        relation = source.describe()[0]
        with writer.cursor() as cursor:
            cursor.execute("SELECT connection_id()")
            sample = source.sample(relation, 200)
            cursor.execute("UPDATE t SET mobile = mobile WHERE id = 1")
        assert len(sample.values["mobile"]) == 200
        assert sample.values["selten"] == ["19990001234"], "a value in a column that is almost empty is found"
        assert source.sample(relation, 200).values == sample.values, "the same table gives the same sample"
        large = pytest.MonkeyPatch()
        large.setattr("kuimen.sources.mysql._CHEAP_BYTES", 0)
        try:
            spread = source.sample(relation, 200)
        finally:
            large.undo()
    places = sorted({int(number[-4:]) for number in spread.values["mobile"]})
    assert not spread.exact
    assert places[0] < 1_000
    assert places[-1] > 8_000


def test_a_locked_a_slow_and_a_vanished_table_are_named_and_the_rest_is_read(mariadb: MariaDB, database: str) -> None:
    mariadb.execute(
        "CREATE TABLE a (mobile varchar(11))", "CREATE TABLE b (mobile varchar(11))", "CREATE TABLE c (x int)",
        "INSERT INTO b SELECT concat('1999000', lpad(seq, 4, '0')) FROM seq_1_to_50", database=database,
    )  # fmt: skip
    parameters = mysql_parameters(mariadb.address(database), {})
    with (
        MySQLSource(parameters, statement_timeout_ms=300, lock_timeout_s=1) as source,
        mariadb.connect(database) as holder,
        holder.cursor() as cursor,
    ):
        relations = source.describe()
        cursor.execute("LOCK TABLES a WRITE")
        rows = by_column(list(scan_open(source, overlay="fictitious")))
        cursor.execute("UNLOCK TABLES")
        cursor.execute("DROP TABLE c")
        gone = next(relation for relation in relations if relation.name == "c")
        with pytest.raises(RelationGoneError):
            source.sample(gone, 10)
    assert rows["a", None].state == "not_read"
    assert "lock" in str(rows["a", None].reason) or "time-out" in str(rows["a", None].reason)
    assert rows["b", "mobile"].element == "mobile"
    assert is_partial(rows.values())


def test_a_server_that_refuses_is_named_without_the_drivers_text(mariadb: MariaDB) -> None:
    with pytest.raises(SourceUnavailableError) as caught:
        list(scan_source(f"mysql://nobody:secret-word@localhost/x?unix_socket={mariadb.socket}"))
    assert "secret-word" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_address_is_understood_and_its_label_holds_no_account() -> None:
    parameters = mysql_parameters("mysql://u:p%40ss@db.example:3307/core", {"password": "from-the-file"})
    assert parameters["password"] == "from-the-file"
    assert label_of(parameters) == "db.example:3307/core"
    assert not is_database("mysql://h/db?unix_socket=/x"), "protection must not take it for PostgreSQL"
    with pytest.raises(SourceLocationError) as caught:
        mysql_parameters("mysql://h:notaport/db", {})
    assert "notaport" not in str(caught.value)
    with pytest.raises(SourceLocationError):
        mysql_parameters("mysql://h/db?local_infile=1", {})
