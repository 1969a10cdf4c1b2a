"""Scrub and proof: what dropping a column leaves behind is found before, and gone after."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.installed import Installation, System
from fixtures.lender import Lender, lender_database, mobile, person_name, resident_id
from kuimen.entrypoints.installation import postgres as servers
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.protection import services as protection
from kuimen.governance.protection.scrub import ScrubState
from kuimen.kernels.detection import detect
from kuimen.kernels.elements.overlay import FICTITIOUS


@pytest.fixture
def lender(installation: Installation) -> Iterator[Lender]:
    with lender_database(installation) as database:
        database.execute(
            "CREATE TABLE customers (id int PRIMARY KEY, xm text, id_no char(18), mobile bigint, sex text, cvn2 text)"
        )
        with database.connect() as connection:
            connection.cursor().executemany(
                "INSERT INTO customers VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    (index, person_name(index), resident_id(index), int(mobile(index)), "男", "987")
                    for index in range(400)
                ],
            )
        database.execute("ANALYZE")
        yield database


def test_the_proof_sees_what_is_left_before_the_scrub_and_nothing_after(system: System, lender: Lender) -> None:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    protection.protect(made, actor=SYSTEM)

    before = protection.prove(made, actor=SYSTEM)
    assert before.residual_clear_values > 400  # dropped columns live on in pages, statistics and the log
    assert before.clear_columns == ()

    scrub = protection.scrub(made, actor=SYSTEM)
    assert {step.name: step.state for step in scrub.steps} == {
        "rewrite_tables": ScrubState.DONE,
        "rewrite_statistics": ScrubState.DONE,
        "turn_over_wal": ScrubState.DONE,
        "redact_server_log": ScrubState.DONE,
        "temporary_files": ScrubState.DONE,
    }
    after = protection.prove(made, actor=SYSTEM)
    assert after.residual_clear_values == 0
    assert after.needles_raw == 400 + 400 + len({person_name(i) for i in range(400) if len(person_name(i)) > 2})
    assert after.needles_rescan > 0
    assert {place.name for place in after.places} >= {"table files", "write-ahead log"}
    assert any("backups" in line for line in after.not_covered)
    assert lender.rows("SHOW wal_recycle") == [("on",)]


def test_an_original_in_a_folder_or_another_column_is_counted(system: System, lender: Lender, tmp_path: Path) -> None:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    protection.protect(made, actor=SYSTEM)
    protection.scrub(made, actor=SYSTEM)
    (tmp_path / "old.csv").write_text(f"1,{resident_id(3)}\n", encoding="utf-8")
    (tmp_path / "old.bin").write_bytes(resident_id(4).encode("utf-16-le"))
    lender.execute("CREATE TABLE remarks (id int, content text)")
    short = next(person_name(i) for i in range(400) if len(person_name(i)) == 2)
    with lender.connect() as connection:
        connection.execute("INSERT INTO remarks VALUES (1, %s)", (short,))
    found = protection.prove(made, actor=SYSTEM, folders=[tmp_path])
    hits = {place.name: place.hits for place in found.places}
    assert hits[f"folder {tmp_path.name}"] == 2
    assert found.residual_clear_values >= 3


def test_a_second_round_proves_the_same_needles_though_nothing_is_left_to_protect(
    system: System, lender: Lender
) -> None:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    protection.protect(made, actor=SYSTEM)
    protection.scrub(made, actor=SYSTEM)
    first = protection.prove(made, actor=SYSTEM)
    again = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    assert again.columns_to_seal == 0
    assert protection.scrub(again, actor=SYSTEM).complete
    second = protection.prove(again, actor=SYSTEM)
    assert (second.needles_raw, second.residual_clear_values) == (first.needles_raw, 0)


@pytest.mark.clause("CQJR-6.5-b")
def test_what_a_recogniser_overlooks_in_a_log_is_blotted_out_by_known_values(
    system: System, lender: Lender, tmp_path: Path
) -> None:
    base = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    protection.protect(base, actor=SYSTEM)
    log = tmp_path / "app.log"
    names = (person_name(i) for i in range(400))
    name = next(one for one in names if len(one) == 3 and not detect(f"INFO 店{one}号 ok", tables=FICTITIOUS))
    log.write_text(f"INFO mobile={mobile(1)}\nINFO 店{name}号 ok\nINFO {mobile(2).encode().hex()}\n", encoding="utf-8")
    size = log.stat().st_size
    made = protection.plan(str(tmp_path), actor=SYSTEM, overlay="fictitious")
    report = protection.protect(made, actor=SYSTEM)
    assert report.values_destroyed == 1
    protection.scrub(made, actor=SYSTEM)
    text = log.read_text(encoding="utf-8")
    assert text.splitlines()[1] == "INFO 店*********号 ok"
    assert text.splitlines()[0] == "INFO mobile=******"
    assert mobile(2).encode().hex() not in text
    assert log.stat().st_size == size - len(mobile(1)) + 6
    assert protection.prove(base, actor=SYSTEM, folders=[tmp_path]).places[-1].hits == 0


def test_the_whole_cluster_is_searched_and_databases_of_others_are_told_apart(
    system: System, installation: Installation, lender: Lender
) -> None:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    protection.protect(made, actor=SYSTEM)
    protection.scrub(made, actor=SYSTEM)
    with lender_database(installation) as other:
        with other.connect() as connection:
            connection.execute("CREATE TABLE copies (content text)")
            connection.execute("INSERT INTO copies VALUES (%s)", (resident_id(5),))
        protection.scrub(made, actor=SYSTEM)  # the row's way through the write-ahead log is gone, the row is not
        found = protection.prove(made, actor=SYSTEM)
    hits = {place.name: place.hits for place in found.places}
    assert hits[f"database {other.name}"] == 1
    assert found.residual_clear_values == 0
    assert any(f"database {other.name}" in line for line in found.not_covered)


def test_an_original_in_a_database_of_kuimen_itself_is_residue(system: System, lender: Lender) -> None:
    made = protection.plan(lender.dsn, actor=SYSTEM, overlay="fictitious")
    protection.protect(made, actor=SYSTEM)
    protection.scrub(made, actor=SYSTEM)
    with system.connect(servers.ADMIN) as connection:
        connection.execute("CREATE TABLE scratch (content text)")
        connection.execute("INSERT INTO scratch VALUES (%s)", (resident_id(5),))
    protection.scrub(made, actor=SYSTEM)
    found = protection.prove(made, actor=SYSTEM)
    assert {place.name: place.hits for place in found.places}[f"database {system.main}"] == 1
    assert found.residual_clear_values == 1
