"""Protection of schemas never seen: odd keys, odd names, odd types; nothing lost, nothing left in clear."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from fixtures.installed import Installation, System
from fixtures.lender import Lender, lender_database, mobile, person_name, resident_id
from kuimen.foundation.identifiers import RecordId
from kuimen.gate.audit.services import SYSTEM
from kuimen.gate.disclosure.services import bulk_for_system
from kuimen.gate.vault.models import Record
from kuimen.governance.inventory.models import Asset
from kuimen.governance.protection import services as protection
from kuimen.governance.protection.plan import ProtectionPlan
from kuimen.governance.protection.reports import ProtectReport


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as database:
        yield database


def run(lender: Lender) -> tuple[ProtectionPlan, ProtectReport]:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    return made, protection.protect(made, actor=SYSTEM)


def opened(ids: list[UUID]) -> dict[UUID, str]:
    found = bulk_for_system("test", [RecordId(one) for one in ids], procedure="protection.verify")
    return {record: value.reveal_for("test") for record, value in found}


def columns(lender: Lender, table: str) -> list[str]:
    return [
        str(row[0])
        for row in lender.rows(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
            " ORDER BY attnum",
            (table,),
        )
    ]


@pytest.mark.clause("CQJR-5.3-d")
def test_every_value_is_in_the_vault_and_no_clear_column_is_left(system: System, lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE customers (id bigint PRIMARY KEY, xm varchar(20) NOT NULL, id_no char(18) NOT NULL UNIQUE,"
        " mobile numeric(11), birth date, credit_amount numeric(12,2))"
    )
    expected = {}
    with lender.connect() as connection:
        for index in range(300):
            row = (index, person_name(index), resident_id(index), mobile(index), "1990-02-03", 100)
            connection.execute("INSERT INTO customers VALUES (%s, %s, %s, %s::numeric, %s::date, %s)", row)
            expected[index] = (row[1], row[2], str(row[3]), row[4])

    made, report = run(lender)

    assert report.complete
    assert report.values_sealed == 1200
    assert columns(lender, "customers") == [
        "id",
        "credit_amount",
        "customer_ref",
        "xm_ref",
        "id_no_ref",
        "mobile_ref",
        "birth_ref",
    ]
    for number, *refs in lender.rows("SELECT id, xm_ref, id_no_ref, mobile_ref, birth_ref FROM customers"):
        values = opened(refs)
        assert tuple(values[ref] for ref in refs) == expected[number]
    masked = lender.rows("SELECT xm, mobile, credit_amount FROM customers_masked WHERE id = 7")
    assert masked == [("******", "******", 100)]
    persons = {row.person_ref for row in Record.objects.all()}
    assert len(persons) == 300
    assert None not in persons
    assert not Record.objects.exclude(state="bound").exists()
    assert set(Asset.objects.filter(element="mobile").values_list("state", flat=True)) == {"sealed"}
    assert made.job_id == report.job_id


def test_a_second_run_finds_nothing_to_do(system: System, lender: Lender) -> None:
    lender.execute("CREATE TABLE t (id int PRIMARY KEY, mobile text)", "INSERT INTO t VALUES (1, '19990000001')")
    run(lender)
    made, report = run(lender)
    assert made.tables == ()
    assert report.values_sealed == 0


def test_composite_key_no_key_and_personal_key_are_all_sealed(system: System, lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE a (branch int, seq text, phone text, PRIMARY KEY (branch, seq))",
        "CREATE TABLE b (phone text, note text)",
        "CREATE TABLE c (mobile varchar(11) PRIMARY KEY, remark text)",
        "CREATE TABLE d (mobile varchar(11) REFERENCES c ON DELETE CASCADE, at int)",
        "INSERT INTO a SELECT i / 10, 's' || i, '1999000' || lpad(i::text, 4, '0') FROM generate_series(1, 50) i",
        "INSERT INTO b SELECT '1999000' || lpad((i % 7)::text, 4, '0'), '致电 19990001234'"
        " FROM generate_series(1, 50) i",
        "INSERT INTO b VALUES (NULL, NULL)",
        "INSERT INTO c SELECT '1999000' || lpad(i::text, 4, '0'), 'x' FROM generate_series(1, 20) i",
        "INSERT INTO d SELECT '1999000' || lpad((1 + i % 20)::text, 4, '0'), i FROM generate_series(1, 60) i",
    )
    _, report = run(lender)
    assert report.blocked == ()
    assert report.values_sealed == 50 + 100 + 20
    assert lender.rows("SELECT count(*), count(DISTINCT phone_ref) FROM b") == [(51, 50)]
    joined = "SELECT count(*) FROM d JOIN c USING (mobile_ref)"
    assert lender.rows(joined) == [(60,)]
    keys = (
        "SELECT conname, contype::text FROM pg_constraint"
        " WHERE conrelid IN ('c'::regclass, 'd'::regclass) AND contype IN ('p','f') ORDER BY 1"
    )
    assert lender.rows(keys) == [("c_pkey", "p"), ("d_mobile_fkey", "f")]
    lender.execute("DELETE FROM c WHERE mobile_ref = (SELECT mobile_ref FROM c LIMIT 1)")
    assert lender.rows("SELECT count(*) FROM d") == [(57,)]


def test_reserved_mixed_case_and_chinese_names_are_quoted(system: System, lender: Lender) -> None:
    lender.execute(
        'CREATE SCHEMA "信贷 Core"',
        'CREATE TABLE "信贷 Core"."Order" ("select" int PRIMARY KEY, "联系" char(20), "联系_ref" bool,'
        ' "a""b%s name" text)',
        """COMMENT ON COLUMN "信贷 Core"."Order"."联系" IS '手机号码'""",
        """COMMENT ON COLUMN "信贷 Core"."Order"."a""b%s name" IS '客户姓名'""",
        """INSERT INTO "信贷 Core"."Order" VALUES (1, '19990000001', true, '王伟'), (2, NULL, false, NULL)""",
    )
    _, report = run(lender)
    assert report.blocked == ()
    assert report.values_sealed == 2
    found = lender.rows('SELECT "联系", "联系_ref", "a""b%%s name" FROM "信贷 Core"."Order_masked" ORDER BY "select"')
    assert found == [("******", True, "******"), (None, False, None)]
    ref = lender.rows('SELECT "联系_ref_2" FROM "信贷 Core"."Order" WHERE "select" = 1')[0][0]
    assert list(opened([ref]).values()) == ["19990000001"]


def test_partitioned_tables_generated_columns_and_views_follow(system: System, lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE p (id int, region text, mobile text, tail text GENERATED ALWAYS AS (right(mobile, 4)) STORED,"
        " PRIMARY KEY (id, region)) PARTITION BY LIST (region)",
        "CREATE TABLE p_n PARTITION OF p FOR VALUES IN ('n')",
        "CREATE TABLE p_s PARTITION OF p DEFAULT",
        "CREATE VIEW report AS SELECT id, mobile FROM p WHERE region = 'n'",
        "CREATE VIEW report2 AS SELECT count(*) FROM report",
        "CREATE MATERIALIZED VIEW cached AS SELECT id, upper(mobile) AS mobile FROM p",
        "CREATE INDEX ON p (mobile)",
        "INSERT INTO p (id, region, mobile) SELECT i, CASE i % 2 WHEN 0 THEN 'n' ELSE 's' END,"
        " '1999000' || lpad(i::text, 4, '0') FROM generate_series(1, 40) i",
        "REFRESH MATERIALIZED VIEW cached",
    )
    _, report = run(lender)
    assert report.blocked == ()
    assert report.values_sealed == 40
    assert columns(lender, "p") == ["id", "region", "mobile_ref"]
    assert lender.rows("SELECT DISTINCT mobile FROM report") == [("******",)]
    assert lender.rows("SELECT * FROM report2") == [(20,)]
    assert lender.rows("SELECT DISTINCT mobile FROM cached") == [("******",)]
    assert set(report.rebuilt_views) == {"public.report", "public.report2", "public.cached"}


def test_a_view_that_cannot_live_on_masks_blocks_its_table_and_nothing_is_half_done(
    system: System, lender: Lender
) -> None:
    lender.execute(
        "CREATE TABLE x (id int PRIMARY KEY, birth date)",
        "CREATE VIEW ages AS SELECT id, extract(year FROM birth) AS y FROM x",
        "CREATE TABLE y (id int PRIMARY KEY, mobile text)",
        "INSERT INTO x VALUES (1, '1990-01-02')",
        "INSERT INTO y VALUES (1, '19990000001')",
    )
    _, report = run(lender)
    assert [place for place, _ in report.blocked] == ["public.x"]
    assert "ages" in report.blocked[0][1]
    assert lender.rows("SELECT y FROM ages") == [(1990,)]
    assert columns(lender, "y") == ["id", "mobile_ref"]
    lender.execute("DROP VIEW ages")
    _, again = run(lender)
    assert again.complete
    assert columns(lender, "x") == ["id", "birth_ref"]


@pytest.mark.clause("JRT0171-6.1.3-a")
def test_forbidden_columns_are_destroyed_and_forbidden_text_is_cut_out(system: System, lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE cards (id int PRIMARY KEY, cvn2 text, note text)",
        "INSERT INTO cards VALUES (1, '123', '客户报 CVN2:456 要求'), (2, NULL, '无')",
    )
    _, report = run(lender)
    assert report.values_destroyed == 1
    assert report.values_cut_from_text == 1
    assert columns(lender, "cards") == ["id", "note_ref"]
    refs = [row[0] for row in lender.rows("SELECT note_ref FROM cards ORDER BY id")]
    texts = opened(refs)
    assert [texts[ref] for ref in refs] == ["客户报 CVN2:****** 要求", "无"]
    assert Asset.objects.get(column_name="cvn2").state == "destroyed"


def test_a_column_that_drifts_in_later_is_sealed_by_the_next_run(system: System, lender: Lender) -> None:
    lender.execute(
        "CREATE TABLE k (id int PRIMARY KEY, mobile text, memo text)",
        "CREATE VIEW w AS SELECT id, mobile, memo FROM k",
        "INSERT INTO k SELECT i, '1999000' || lpad(i::text, 4, '0'), '无' FROM generate_series(1, 30) i",
    )
    run(lender)
    lender.execute(
        "ALTER TABLE k ADD COLUMN backup_phone text",
        "UPDATE k SET backup_phone = '1999000' || lpad((i.id + 100)::text, 4, '0') FROM k i WHERE k.id = i.id",
        "UPDATE k SET memo = '请拨 19990000777 联系' WHERE id = 9",
    )
    made, report = run(lender)
    assert report.complete
    assert {one.name for table in made.tables for one in table.sealed} == {"backup_phone", "memo"}
    assert columns(lender, "k") == ["id", "mobile_ref", "memo_ref", "backup_phone_ref"]
    assert lender.rows("SELECT DISTINCT mobile, memo FROM w") == [("******", "******")]
    assert lender.rows("SELECT mobile, backup_phone, memo FROM k_masked WHERE id = 9") == [("******",) * 3]


def test_an_owner_without_other_rights_can_protect_and_is_told_what_is_left(system: System, lender: Lender) -> None:
    import psycopg

    role = f"owner_of_{lender.name}"
    with lender.connect() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'for-this-test'")  # type: ignore[call-overload]
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {role}")  # type: ignore[call-overload]
    dsn = psycopg.conninfo.make_conninfo(lender.dsn, user=role, password="for-this-test")
    try:
        with psycopg.connect(dsn, autocommit=True) as own:
            own.execute("CREATE TABLE mine (id int PRIMARY KEY, mobile text)")
            own.execute("INSERT INTO mine VALUES (1, '19990000001')")
        lender.execute("CREATE TABLE other (id int, mobile text)", "GRANT SELECT ON other TO " + role)
        lender.execute("INSERT INTO other VALUES (1, '19990000002')")
        made = protection.plan(dsn, actor=SYSTEM, overlay="fictitious")
        report = protection.protect(made, actor=SYSTEM)
        assert [place for place, _ in report.blocked] == ["public.other.mobile"]
        assert columns(lender, "mine") == ["id", "mobile_ref"]
        assert columns(lender, "other") == ["id", "mobile"]
        scrub = {step.name: step.state.value for step in protection.scrub(made, actor=SYSTEM).steps}
        assert scrub["rewrite_tables"] == "done"
        assert scrub["turn_over_wal"] == "not_permitted"
        whole = protection.scrub(made, actor=SYSTEM, maintenance=lender.dsn)
        assert whole.complete
        proof = protection.prove(made, actor=SYSTEM, maintenance=lender.dsn)
        assert proof.residual_clear_values == 1
        assert proof.clear_columns == ("public.other.mobile",)
    finally:
        lender.execute(f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")
