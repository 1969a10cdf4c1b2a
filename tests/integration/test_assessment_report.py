"""The printed report: its numbers are those of the assessment, its bytes repeat, and it says what was not seen."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fixtures.installed import System
from kuimen.assessment import services
from kuimen.assessment.errors import ReportUnavailableError
from kuimen.assessment.models import Report
from kuimen.assessment.report import report_document
from kuimen.assessment.rules import Verdict
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import Actor
from kuimen.kernels.ciphers.digests import sm3
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, RegisteredProbe
from kuimen.standard import controls as controls_module

ASSESSOR = Actor(kind="staff", ref="S0009", label="评估员")
SECOND = Actor(kind="staff", ref="S0010", label="复核员")


def log_is_dirty(_: ProbeContext) -> ProbeResult:
    seen = Observation(
        title_zh="运维日志逐行扫描", title_en="log", facts={"files": 2, "findings": 7}, reference="app.log"
    )
    return ProbeResult(outcome=Outcome.REFUTED, observations=(seen,), remedy_zh="清除日志", remedy_en="clean the log")


@pytest.fixture
def assessed(system: System, monkeypatch: pytest.MonkeyPatch) -> services.AssessmentView:
    probe = RegisteredProbe(
        clause="CQJR-6.5-b", name="tests.log", title_zh="运维日志检查", title_en="log", function=log_is_dirty
    )
    monkeypatch.setattr(controls_module, "_REGISTRY", {"tests.log": probe})
    monkeypatch.setattr("kuimen.assessment.running.import_controls", tuple)
    return services.run_assessment(ASSESSOR)


def _text(path: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.fail("pdftotext is missing; install Debian's package `poppler-utils`, it reads the report back")
    finished = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return finished.stdout.decode()


def test_document_counts_every_clause_once(assessed: services.AssessmentView) -> None:
    document = report_document(assessed)
    rows = [row for section in document["sections"] for chapter in section["chapters"] for row in chapter["rows"]]
    assert len(rows) == document["total"] == 225
    for verdict in document["verdicts"]:
        assert sum(row["verdict"] == verdict["kind"] for row in rows) == verdict["count"]
        assert sum(entry["counts"][verdict["kind"]] for entry in document["lists"]) == verdict["count"]


def test_everything_open_is_named_as_not_seen(assessed: services.AssessmentView) -> None:
    named = [clause for group in report_document(assessed)["unseen"] for clause in group["ids"]]
    open_count = assessed.verdicts[Verdict.NOT_ASSESSED] + assessed.verdicts[Verdict.INSUFFICIENT]
    assert len(named) == len(set(named)) == open_count == 224


def test_every_nonconformity_has_a_finding_with_remedy_facts_and_evidence(assessed: services.AssessmentView) -> None:
    (finding,) = report_document(assessed)["findings"]
    assert finding["id"] == "CQJR-6.5-b"
    assert finding["remedy"] == "清除日志"
    assert finding["facts"] == ["运维日志逐行扫描：files 2，发现数 7（见 app.log）"]
    assert finding["evidence"] == ["E-0001"]


def test_printed_report_shows_verdict_and_digests(assessed: services.AssessmentView, tmp_path: Path) -> None:
    services.render_report(assessed.assessment_id, tmp_path / "report.pdf")
    text = _text(tmp_path / "report.pdf")
    flat = re.sub(r"\s+", "", text)
    for expected in (
        assessed.number,
        "总体结论：不符合",
        "被评估单位测试小贷",
        "清除日志",
        str(assessed.audit_entry),
        assessed.snapshot_sm3,
        "待核",
        "未查看的内容",
        "签署页",
    ):
        assert re.sub(r"\s+", "", expected) in flat, expected
    assert assessed.evidence[0].sm3[:32] in flat


def test_same_assessment_gives_the_same_bytes(assessed: services.AssessmentView, tmp_path: Path) -> None:
    services.render_report(assessed.assessment_id, tmp_path / "one.pdf")
    services.render_report(assessed.assessment_id, tmp_path / "two.pdf")
    one, two = (tmp_path / "one.pdf").read_bytes(), (tmp_path / "two.pdf").read_bytes()
    assert one == two
    assert one.startswith(b"%PDF-1.7")


def test_digests_of_the_file_are_kept_and_audited(assessed: services.AssessmentView, tmp_path: Path) -> None:
    report = services.render_report(assessed.assessment_id, tmp_path / "report.pdf", actor=ASSESSOR)
    body = (tmp_path / "report.pdf").read_bytes()
    assert bytes(report.sm3) == sm3(body)
    assert bytes(report.sha256) == hashlib.sha256(body).digest()
    entry = Entry.objects.get(action="assessment.report")
    assert sm3(body).hex().encode() in bytes(entry.body)


def test_report_file_is_set_once_and_again_after_tampering_or_a_judgement(assessed: services.AssessmentView) -> None:
    path = services.report_file(assessed.assessment_id)
    first = path.read_bytes()
    assert services.report_file(assessed.assessment_id) == path
    assert Report.objects.count() == 1
    path.write_bytes(first + b"altered")
    assert services.report_file(assessed.assessment_id).read_bytes() == first
    judgement = services.judge(
        ASSESSOR,
        assessment_id=assessed.assessment_id,
        clause_id="CQJR-6.1-a",
        verdict=Verdict.CONFORM,
        reason="已设部门",
        evidence_reference="任命文件",
    )
    services.approve_judgement(SECOND, judgement_id=judgement, approved=True)
    assert services.report_file(assessed.assessment_id).read_bytes() != first


def test_unwritable_place_is_a_clear_refusal(assessed: services.AssessmentView, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReportUnavailableError, match="path"):
        services.render_report(assessed.assessment_id, tmp_path / "file" / "report.pdf")
