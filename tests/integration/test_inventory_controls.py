"""Controls of the asset directory: they hold for a scanned and protected lender and fail when it drifts."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fixtures.installed import Installation, System
from fixtures.lender import Lender, lender_database, mobile, person_name, resident_id
from kuimen.foundation import clock
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.inventory import controls, services
from kuimen.governance.inventory.models import Asset, ScanRun
from kuimen.governance.protection import services as protection
from kuimen.sources.scan import scan_source
from kuimen.standard import Outcome, Probe, ProbeContext, ProbeResult

CLEAN_LINE = "2026-11-20 10:00:00 INFO loan 17 accepted in 12 ms\n"


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as database:
        database.execute(
            "CREATE TABLE customers (id bigint PRIMARY KEY, xm varchar(20), id_no char(18), mobile varchar(11),"
            " sex varchar(4), cvn2 char(3))",
            "COMMENT ON COLUMN customers.cvn2 IS '卡片 CVN2 安全码'",
            "COMMENT ON COLUMN customers.sex IS '性别'",
        )
        with database.connect() as connection:
            for index in range(40):
                connection.execute(
                    "INSERT INTO customers VALUES (%s, %s, %s, %s, %s, %s)",
                    (
                        index,
                        person_name(index),
                        resident_id(index),
                        mobile(index),
                        "男女"[index % 2],
                        f"{100 + index}",
                    ),
                )
        yield database


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "app.log").write_text(CLEAN_LINE * 20, encoding="utf-8")
    return tmp_path


def scan(location: str) -> None:
    source = services.register_source(location, actor=SYSTEM, overlay="fictitious")
    rows = scan_source(location, overlay="fictitious")
    services.record_scan(rows, SYSTEM, source_id=source.source_id)


def protect(lender: Lender) -> None:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    protection.protect(made, actor=SYSTEM)


def result(probe: Probe) -> ProbeResult:
    return probe(ProbeContext(at=clock.now()))


def outcome(probe: Probe) -> Outcome:
    return result(probe).outcome


@pytest.mark.clause(
    "CQJR-6.2-a", "CQJR-6.2-b", "CQJR-6.5-b", "JRT0171-4.2-C3", "JRT0171-4.2-C2", "JRT0171-4.2-C1", "JRT0171-6.1.3-a"
)
def test_a_scanned_and_protected_lender_holds(system: System, lender: Lender, logs: Path) -> None:
    protect(lender)
    scan(str(logs))
    for probe in (
        controls.directory_matches_the_sources,
        controls.tool_recognises_and_is_used,
        controls.c3_is_marked,
        controls.c2_is_marked,
        controls.c1_is_marked,
        controls.never_stored_is_gone,
        controls.logs_hold_no_clear_value,
    ):
        found = result(probe)
        assert found.outcome is Outcome.HOLDS, (probe, found.observations[0].facts)


def test_without_a_source_there_is_nothing_to_judge_by(system: System) -> None:
    for probe in (
        controls.directory_matches_the_sources,
        controls.tool_recognises_and_is_used,
        controls.c2_is_marked,
        controls.never_stored_is_gone,
        controls.logs_hold_no_clear_value,
    ):
        assert outcome(probe) is Outcome.INSUFFICIENT, probe


@pytest.mark.planted_defect("CQJR-6.2-a")
def test_a_source_that_was_scanned_and_never_protected_is_seen(system: System, lender: Lender) -> None:
    scan(lender.dsn)
    assert outcome(controls.directory_matches_the_sources) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-6.2-a")
def test_a_personal_column_added_since_the_last_scan_is_seen(system: System, lender: Lender) -> None:
    protect(lender)
    lender.execute("ALTER TABLE customers ADD COLUMN contact_phone varchar(11)")
    with lender.connect() as connection:
        for index in range(40):
            connection.execute("UPDATE customers SET contact_phone = %s WHERE id = %s", (mobile(index), index))
    found = result(controls.directory_matches_the_sources)
    assert found.outcome is Outcome.REFUTED
    assert found.observations[0].facts["where"] == "public.customers.contact_phone"


@pytest.mark.planted_defect("CQJR-6.2-a", "CQJR-6.2-b")
def test_a_directory_that_nobody_renews_is_seen(system: System, lender: Lender) -> None:
    protect(lender)
    system.clock.advance(timedelta(days=32))
    assert outcome(controls.directory_matches_the_sources) is Outcome.REFUTED
    assert outcome(controls.tool_recognises_and_is_used) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-6.2-b")
def test_a_scan_with_outdated_rules_is_seen(system: System, lender: Lender) -> None:
    scan(lender.dsn)
    assert outcome(controls.tool_recognises_and_is_used) is Outcome.HOLDS
    ScanRun.objects.update(rules_version="0.0.1")
    assert outcome(controls.tool_recognises_and_is_used) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-6.2-b")
def test_a_recogniser_gone_blind_is_seen(system: System, lender: Lender, monkeypatch: pytest.MonkeyPatch) -> None:
    scan(lender.dsn)
    monkeypatch.setattr(controls, "detect", lambda _text: [])
    assert outcome(controls.tool_recognises_and_is_used) is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-4.2-C3", "JRT0171-4.2-C2", "JRT0171-4.2-C1")
@pytest.mark.parametrize(
    ("element", "probe"),
    [("cvn2", controls.c3_is_marked), ("mobile", controls.c2_is_marked), ("sex", controls.c1_is_marked)],
)
def test_a_grade_lowered_by_hand_is_seen(system: System, lender: Lender, element: str, probe: Probe) -> None:
    scan(lender.dsn)
    assert outcome(probe) is Outcome.HOLDS
    assert Asset.objects.filter(element=element).update(category="none", level=1) == 1
    assert outcome(probe) is Outcome.REFUTED


@pytest.mark.planted_defect("JRT0171-6.1.3-a")
def test_a_card_verification_value_at_rest_is_seen(system: System, lender: Lender) -> None:
    scan(lender.dsn)
    assert outcome(controls.never_stored_is_gone) is Outcome.REFUTED


@pytest.mark.planted_defect("CQJR-6.5-b", "JRT0171-6.1.4.5-c", "JRT0171-7.3-g")
def test_a_phone_written_into_a_log_after_the_scan_is_seen(system: System, logs: Path) -> None:
    scan(str(logs))
    assert outcome(controls.logs_hold_no_clear_value) is Outcome.HOLDS
    with (logs / "app.log").open("a", encoding="utf-8") as log:
        log.write(f"2026-11-20 10:00:01 INFO 拨打手机号 {mobile(1)} 接通\n")
    found = result(controls.logs_hold_no_clear_value)
    assert found.outcome is Outcome.REFUTED
    assert found.observations[0].facts["where"] == "app.log:21"
    assert mobile(1) not in str(found)


@pytest.mark.planted_defect("CQJR-6.5-b", "JRT0171-6.1.4.5-c")
def test_a_server_log_that_would_show_values_is_seen(system: System, logs: Path) -> None:
    scan(str(logs))
    with system.connect("kuimen_admin") as admin:
        admin.execute("ALTER ROLE kuimen_app SET log_statement = 'all'")
    try:
        from django.db import connection

        connection.close()
        assert outcome(controls.logs_hold_no_clear_value) is Outcome.REFUTED
    finally:
        with system.connect("kuimen_admin") as admin:
            admin.execute("ALTER ROLE kuimen_app RESET log_statement")
        connection.close()


def test_a_source_that_does_not_open_leaves_the_question_open(system: System, logs: Path) -> None:
    scan(str(logs))
    (logs / "app.log").unlink()
    logs.rmdir()
    assert outcome(controls.logs_hold_no_clear_value) is Outcome.INSUFFICIENT


def write_export(folder: Path, *, rows: int = 40) -> None:
    lines = [f"{person_name(index)},{resident_id(index)},{mobile(index)},{100 + index}\n" for index in range(rows)]
    (folder / "export.csv").write_text("客户姓名,身份证号,手机号,安全码\n" + "".join(lines), encoding="utf-8")


def protect_folder(folder: Path) -> None:
    made = protection.plan(str(folder), actor=SYSTEM, overlay="fictitious")
    protection.protect(made, actor=SYSTEM)
    protection.prove(made, actor=SYSTEM)  # scans again and refreshes the directory


GRADES = (
    controls.directory_matches_the_sources,
    controls.c3_is_marked,
    controls.c2_is_marked,
    controls.never_stored_is_gone,
)


def test_a_file_rewritten_with_masks_neither_drifts_nor_is_graded_down(system: System, logs: Path) -> None:
    write_export(logs)
    scan(str(logs))
    protect_folder(logs)
    for probe in GRADES:
        found = result(probe)
        assert found.outcome is Outcome.HOLDS, (probe, found.observations[0].facts)
    states = set(Asset.objects.filter(file_name="export.csv").values_list("state", "category", "level"))
    assert states == {("destroyed", "C2", 3), ("destroyed", "C3", 4)}


@pytest.mark.planted_defect("CQJR-6.2-a")
def test_values_written_again_over_masks_are_seen(system: System, logs: Path) -> None:
    write_export(logs)
    scan(str(logs))
    protect_folder(logs)
    write_export(logs, rows=30)
    scan(str(logs))
    assert outcome(controls.directory_matches_the_sources) is Outcome.REFUTED
    assert outcome(controls.never_stored_is_gone) is Outcome.REFUTED
