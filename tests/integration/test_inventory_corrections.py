"""Stewards correct the directory: another person decides what lowers, scans come and go, and the word stays."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from fixtures.installed import System
from fixtures.lender import mobile
from fixtures.people import People, appoint_officers
from kuimen.entrypoints.worker import tasks
from kuimen.entrypoints.worker.running import run_worker
from kuimen.foundation import clock
from kuimen.gate.access.errors import DutySeparationError, NotPermittedError
from kuimen.gate.access.rules import Role, Subject
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import SYSTEM
from kuimen.governance.inventory import controls, services
from kuimen.governance.inventory.correction_rules import CorrectionState, Scope
from kuimen.governance.inventory.errors import CorrectionInputError, CorrectionTransitionError, ScheduleInputError
from kuimen.governance.inventory.models import Asset, Correction, DataSource
from kuimen.sources.errors import SourceLocationError
from kuimen.sources.scan import scan_source
from kuimen.standard import Outcome, ProbeContext


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    lines = ["phone,ext7,note", *(f"{mobile(at)},{700000 + at},ok" for at in range(40))]
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "more.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def people(system: System) -> People:
    return appoint_officers()


@pytest.fixture
def steward(people: People) -> Subject:
    return people.hire("D0001", Role.IMPORTER)


def scan(folder: Path) -> DataSource:
    source = services.register_source(str(folder), actor=SYSTEM, overlay="fictitious")
    services.record_scan(scan_source(str(folder), overlay="fictitious"), SYSTEM, source_id=source.source_id)
    return source


def asset(column: str, file: str = "people.csv") -> Asset:
    return Asset.objects.get(file_name=file, column_name=column)


def recorded(action: str) -> int:
    return Entry.objects.filter(action=action).count()


def test_a_raising_word_holds_at_once_and_survives_the_next_scan(steward: Subject, exports: Path) -> None:
    scan(exports)
    assert asset("ext7").element == ""
    made = services.correct(asset("ext7").pk, steward=steward, element="account_number", reason="外部系统账号")
    assert (made.state, made.lowers) == (CorrectionState.IN_FORCE, False)
    for _ in range(2):
        now = asset("ext7")
        assert (now.element, now.category, now.level, now.found_element) == ("account_number", "C2", 3, "")
        scan(exports)
    assert recorded("inventory.correct") == 1
    assert asset("ext7", "more.csv").element == ""


def test_a_lowering_word_waits_for_another_person(people: People, steward: Subject, exports: Path) -> None:
    scan(exports)
    made = services.correct(asset("phone").pk, steward=steward, element="", reason="测试号码，不是客户电话")
    assert (made.state, made.lowers) == (CorrectionState.PROPOSED, True)
    assert asset("phone").element == "mobile"
    with pytest.raises(DutySeparationError):
        services.approve_correction(made.correction_id, checker=steward)
    services.approve_correction(made.correction_id, checker=people.checker)
    scan(exports)
    now = asset("phone")
    assert (now.element, now.found_element, now.category) == ("", "mobile", "none")
    with pytest.raises(CorrectionTransitionError):
        services.refuse_correction(made.correction_id, checker=people.checker, reason="太晚")
    assert (recorded("inventory.correction_approve"), recorded("inventory.correction_refuse")) == (1, 1)


def test_a_refused_or_withdrawn_proposal_changes_nothing(people: People, steward: Subject, exports: Path) -> None:
    scan(exports)
    first = services.correct(asset("phone").pk, steward=steward, element="", reason="不是电话")
    services.refuse_correction(first.correction_id, checker=people.checker, reason="是客户电话")
    second = services.correct(asset("phone").pk, steward=steward, element="qq", reason="可能是QQ号码")
    assert second.state is CorrectionState.IN_FORCE, "as grave and stored alike"
    third = services.correct(asset("phone").pk, steward=steward, element="", reason="不是电话")
    services.withdraw_correction(third.correction_id, steward=steward)
    assert asset("phone").element == "qq"


def test_a_word_on_a_name_reaches_every_column_of_that_name(steward: Subject, exports: Path) -> None:
    scan(exports)
    services.correct(asset("ext7").pk, steward=steward, element="qq", reason="本机构以ext7存QQ号", scope=Scope.NAME)
    assert asset("ext7", "more.csv").element == "qq"
    (exports / "third.csv").write_text("EXT7,x\n712345,1\n", encoding="utf-8")
    scan(exports)
    assert asset("EXT7", "third.csv").element == "qq"


def test_the_database_itself_refuses_a_lowering_word_that_nobody_decided(steward: Subject, exports: Path) -> None:
    scan(exports)
    made = services.correct(asset("phone").pk, steward=steward, element="", reason="不是电话")
    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.filter(correction_id=made.correction_id).update(state="in_force")
    with pytest.raises(IntegrityError), transaction.atomic():
        Correction.objects.filter(correction_id=made.correction_id).update(state="in_force", decided_by="D0001")


def test_bad_corrections_are_refused(people: People, steward: Subject, exports: Path) -> None:
    scan(exports)
    with pytest.raises(CorrectionInputError):
        services.correct(asset("phone").pk, steward=steward, element="no_such_thing", reason="为何")
    with pytest.raises(CorrectionInputError):
        services.correct(asset("phone").pk, steward=steward, element="qq", reason=" ")
    with pytest.raises(NotPermittedError):
        services.correct(asset("phone").pk, steward=people.checker, element="qq", reason="主管不改目录")


@pytest.mark.planted_defect("CQJR-6.2-a")
def test_new_changed_and_vanished_columns_are_news_until_somebody_notes_them(steward: Subject, exports: Path) -> None:
    scan(exports)
    assert services.changes() == []
    lines = ["phone,email,ext7", *(f"{700000 + at},u{at}@example.com,{mobile(at)}" for at in range(40))]
    (exports / "people.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (exports / "more.csv").unlink()
    scan(exports)
    news = {(change.place, change.kind.value) for change in services.changes()}
    assert {
        ("people.csv.email", "appeared"),
        ("people.csv.ext7", "became_personal"),
        ("more.csv.phone", "vanished"),
    } <= news
    found = controls.directory_matches_the_sources(ProbeContext(at=clock.now()))
    assert found.outcome is Outcome.REFUTED
    assert found.observations[0].facts["changes_nobody_noted"] == len(news)
    assert recorded("inventory.drift") == 1
    for change in services.changes():
        services.note_change(change.drift_id, steward=steward, note="已核对")
    assert services.changes() == []


def test_a_file_that_cannot_be_read_has_not_lost_its_columns(steward: Subject, exports: Path) -> None:
    scan(exports)
    (exports / "people.csv").write_bytes(b"\x00\x01\x02" * 4000)
    scan(exports)
    assert not [change for change in services.changes() if change.place.startswith("people.csv")]
    assert asset("phone").present


def test_sources_are_scanned_by_their_interval_and_failures_are_kept(
    system: System, people: People, steward: Subject, exports: Path
) -> None:
    source = scan(exports)
    assert services.due_sources() == []
    services.set_interval(source.source_id, hours=6, officer=steward)
    system.clock.advance(timedelta(hours=7))
    assert services.due_sources() == [source.source_id]
    tasks.rescan_sources.defer(timestamp=0)
    run_worker(once=True)
    assert services.due_sources() == []
    system.clock.advance(timedelta(hours=7))
    for name in ("people.csv", "more.csv"):
        (exports / name).unlink()
    exports.rmdir()
    with pytest.raises(SourceLocationError):
        services.scan_again(source.source_id, actor=SYSTEM)
    (view,) = services.sources()
    assert (view.fault, view.every_hours) == ("sources.location", 6)
    with pytest.raises(ScheduleInputError):
        services.set_interval(source.source_id, hours=0, officer=steward)


def test_corrections_replay_as_regression_cases(people: People, steward: Subject, exports: Path) -> None:
    scan(exports)
    services.correct(asset("phone").pk, steward=steward, element="mobile", reason="确认是客户手机号")
    services.correct(asset("ext7").pk, steward=steward, element="qq", reason="存QQ号", scope=Scope.NAME)
    cases = {case.place: (case.holds, case.learned, case.recognised) for case in services.replay_corrections()}
    assert cases == {"people.csv.phone": (True, True, "mobile"), "people.csv.ext7": (True, False, "")}
    Asset.objects.filter(column_name="ext7").update(element="")
    holds = {case.place: case.holds for case in services.replay_corrections()}
    assert holds == {"people.csv.phone": True, "people.csv.ext7": False}
