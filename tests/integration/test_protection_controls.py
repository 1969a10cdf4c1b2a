"""The control of protection looks at the live sources: it fails the moment an identity element lies open again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.installed import Installation, System
from fixtures.lender import Lender, lender_database, mobile, person_name
from kuimen.foundation import clock
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.protection import controls
from kuimen.governance.protection import services as protection
from kuimen.standard import Outcome, ProbeContext, ProbeResult


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as database:
        database.execute("CREATE TABLE customers (id int PRIMARY KEY, xm text, mobile text)")
        with database.connect() as connection:
            for index in range(30):
                connection.execute(
                    "INSERT INTO customers VALUES (%s, %s, %s)", (index, person_name(index), mobile(index))
                )
        yield database


def look() -> ProbeResult:
    return controls.no_identity_in_clear(ProbeContext(at=clock.now()))


def protect(location: str) -> None:
    protection.protect(protection.plan(location, actor=SYSTEM, overlay="fictitious"), actor=SYSTEM)


@pytest.mark.clause("CQJR-5.3-d", "CQJR-5.4-g", "CQJR-5.5-c")
def test_the_control_holds_for_a_protected_lender(system: System, lender: Lender) -> None:
    assert look().outcome is Outcome.INSUFFICIENT
    protect(lender.dsn)
    found = look()
    assert found.outcome is Outcome.HOLDS, found.observations[0].facts


@pytest.mark.planted_defect("CQJR-5.3-d", "CQJR-5.4-g", "CQJR-5.5-c")
def test_a_phone_written_back_by_sql_is_seen_live_and_never_shown(system: System, lender: Lender) -> None:
    protect(lender.dsn)
    lender.execute(
        "CREATE TABLE backup AS SELECT id, '1999000' || lpad(id::text, 4, '0') AS tel FROM generate_series(1, 30) id"
    )
    found = look()
    assert found.outcome is Outcome.REFUTED
    assert found.observations[0].facts["where"] == "public.backup.tel"
    assert mobile(1) not in str(found)


@pytest.mark.planted_defect("CQJR-5.3-d", "CQJR-5.4-g")
def test_a_phone_in_a_remark_is_seen(system: System, lender: Lender) -> None:
    protect(lender.dsn)
    lender.execute("ALTER TABLE customers ADD COLUMN remark text")
    with lender.connect() as connection:
        connection.execute("UPDATE customers SET remark = %s WHERE id = 3", (f"客户改用 {mobile(3)} 联系",))
    assert look().outcome is Outcome.REFUTED


def test_a_source_that_does_not_open_leaves_the_question_open(system: System, lender: Lender, tmp_path: Path) -> None:
    protect(lender.dsn)
    (tmp_path / "app.log").write_text("INFO ok\n", encoding="utf-8")
    protect(str(tmp_path))
    assert look().outcome is Outcome.HOLDS
    (tmp_path / "app.log").unlink()
    tmp_path.rmdir()
    assert look().outcome is Outcome.INSUFFICIENT
