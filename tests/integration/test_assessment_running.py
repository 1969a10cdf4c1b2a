"""The assessment on a live system: honest counts, evidence that verifies, nothing green by absence."""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction

from fixtures.installed import System
from kuimen.assessment import services
from kuimen.assessment.errors import (
    AssessmentNotFoundError,
    JudgementDecidedError,
    ReasonMissingError,
    SamePersonError,
    VerdictNotForPeopleError,
)
from kuimen.assessment.models import Assessment, EvidenceItem
from kuimen.assessment.rules import Conclusion, Verdict
from kuimen.foundation.errors import UnavailableError
from kuimen.gate.audit.models import Entry
from kuimen.gate.audit.services import Actor
from kuimen.kernels.ciphers.digests import sm3
from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, RegisteredProbe
from kuimen.standard import controls as controls_module

ASSESSOR = Actor(kind="staff", ref="S0009", label="评估员")
SECOND = Actor(kind="staff", ref="S0010", label="复核员")
SEEN = (Observation(title_zh="看到的事实", title_en="what was seen", facts={"rows": 3}),)
FULL = "CQJR-5.3-d"  # the catalogue says a machine sees the whole of it
PARTIAL = "CQJR-5.2-h"


def holds(_: ProbeContext) -> ProbeResult:
    return ProbeResult(outcome=Outcome.HOLDS, observations=SEEN)


def refuted(_: ProbeContext) -> ProbeResult:
    return ProbeResult(outcome=Outcome.REFUTED, observations=SEEN, remedy_zh="改正", remedy_en="mend")


def breaks(_: ProbeContext) -> ProbeResult:
    class LockedForTestError(UnavailableError):
        code = "test.locked"

    raise LockedForTestError("13812345678 must not travel")


def breaks_sql(_: ProbeContext) -> ProbeResult:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")
    return holds(_)


def writes(_: ProbeContext) -> ProbeResult:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE scribble AS SELECT 1")
        cursor.execute("INSERT INTO assessment_report VALUES (1)")
    return holds(_)


def counts_runs(_: ProbeContext) -> ProbeResult:
    runs = Observation(title_zh="历次评估", title_en="runs", facts={"runs": Assessment.objects.count()})
    return ProbeResult(outcome=Outcome.HOLDS, observations=(runs,))


class Probes(dict[str, RegisteredProbe]):
    """The registry of one test."""

    def plant(self, clause: str, *functions: object) -> None:
        for function in functions:
            name = f"tests.{clause}.{getattr(function, '__name__', '')}"
            self[name] = RegisteredProbe(clause=clause, name=name, title_zh="检查", title_en="check", function=function)  # type: ignore[arg-type] # a test function


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch, system: System) -> Probes:
    planted = Probes()
    monkeypatch.setattr(controls_module, "_REGISTRY", planted)
    monkeypatch.setattr("kuimen.assessment.running.import_controls", tuple)
    return planted


def _by_clause(view: services.AssessmentView) -> Mapping[str, services.ClauseView]:
    return {entry.clause.id: entry for entry in view.clauses}


def test_without_any_control_nothing_is_assessed_and_nothing_is_green(probes: Probes) -> None:
    view = services.run_assessment(ASSESSOR)
    assert view.clauses_total == 225
    assert view.clauses_assessed == 0
    assert view.verdicts[Verdict.NOT_ASSESSED] == 225
    assert view.conclusion is Conclusion.OPEN


def test_partially_automatable_clause_with_a_holding_control_waits_for_a_person(probes: Probes) -> None:
    probes.plant(PARTIAL, holds)
    entry = _by_clause(services.run_assessment(ASSESSOR))[PARTIAL]
    assert entry.verdict is Verdict.INSUFFICIENT
    assert "需要人看的部分尚未查看" in entry.finding.reason_zh


def test_one_refuted_probe_among_many_decides(probes: Probes) -> None:
    probes.plant(FULL, holds, refuted)
    entry = _by_clause(services.run_assessment(ASSESSOR))[FULL]
    assert entry.verdict is Verdict.NONCONFORM
    assert entry.finding.remedy_zh == "改正"
    assert entry.probes == 2


@pytest.mark.parametrize(("function", "fault"), [(breaks, "test.locked"), (breaks_sql, "ProgrammingError")])
def test_a_probe_that_breaks_is_never_green_and_stops_no_other(probes: Probes, function: object, fault: str) -> None:
    probes.plant(FULL, function)
    probes.plant("CQJR-6.5-b", refuted)
    found = _by_clause(services.run_assessment(ASSESSOR))
    assert found[FULL].verdict is Verdict.INSUFFICIENT
    assert fault in found[FULL].finding.reason_zh
    assert found["CQJR-6.5-b"].verdict is Verdict.NONCONFORM


def test_the_text_of_a_broken_probe_is_kept_nowhere(probes: Probes) -> None:
    probes.plant(FULL, breaks)
    view = services.run_assessment(ASSESSOR)
    body = bytes(EvidenceItem.objects.get(assessment_id=view.assessment_id).body).decode()
    assert "1381234" not in body
    assert "1381234" not in _by_clause(view)[FULL].finding.reason_zh


def test_a_probe_cannot_write(probes: Probes) -> None:
    probes.plant(FULL, writes)
    entry = _by_clause(services.run_assessment(ASSESSOR))[FULL]
    assert entry.verdict is Verdict.INSUFFICIENT
    assert entry.evidence[0].fault


def test_a_run_inside_a_transaction_of_the_caller_works_and_sees_only_what_is_committed(probes: Probes) -> None:
    probes.plant(FULL, counts_runs)
    with transaction.atomic():
        first = services.run_assessment(ASSESSOR)
        second = services.run_assessment(ASSESSOR)
    seen = [view.evidence[0].document["observations"][0]["facts"]["runs"] for view in (first, second)]
    assert seen == [0, 0]


def test_evidence_digests_cover_the_kept_bytes(probes: Probes) -> None:
    probes.plant(FULL, holds, refuted)
    view = services.run_assessment(ASSESSOR)
    items = list(EvidenceItem.objects.filter(assessment_id=view.assessment_id))
    assert len(items) == 2
    for item, shown in zip(items, view.evidence, strict=True):
        body = bytes(item.body)
        assert sm3(body).hex() == shown.sm3
        assert hashlib.sha256(body).hexdigest() == shown.sha256
        assert json.loads(body)["observations"][0]["facts"] == {"rows": 3}


def test_run_is_in_the_audit_log_with_the_digest_of_its_results(probes: Probes) -> None:
    probes.plant(FULL, refuted)
    view = services.run_assessment(ASSESSOR)
    entry = Entry.objects.get(entry_id=view.audit_entry)
    facts = json.loads(bytes(entry.body))["facts"]
    assert facts["snapshot_sm3"] == view.snapshot_sm3
    assert facts["verdict_nonconform"] == 1
    assert facts["clauses_total"] == 225


def test_results_cannot_be_changed_by_the_application(probes: Probes, system: System) -> None:
    services.run_assessment(ASSESSOR)
    with system.connect() as plain, pytest.raises(psycopg.errors.InsufficientPrivilege):
        plain.execute("UPDATE assessment_clauseresult SET verdict = 'conform'")


def test_the_database_refuses_a_green_clause_that_nobody_looked_at(probes: Probes, system: System) -> None:
    view = services.run_assessment(ASSESSOR)
    with system.connect() as plain, pytest.raises(psycopg.errors.CheckViolation):
        plain.execute(
            "INSERT INTO assessment_clauseresult (assessment_id, position, clause_id, verdict, reason_zh, reason_en,"
            " remedy_zh, remedy_en, refuted, probes) VALUES (%s, 999, 'X', 'conform', '', '', '', '', false, 0)",
            (view.assessment_id,),
        )


def test_a_function_that_stands_for_two_clauses_looks_once(probes: Probes) -> None:
    looks: list[ProbeContext] = []

    def counting(context: ProbeContext) -> ProbeResult:
        looks.append(context)
        return holds(context)

    probes.plant(FULL, counting)
    probes.plant("CQJR-6.5-b", counting)
    found = _by_clause(services.run_assessment(ASSESSOR))
    assert len(looks) == 1
    assert found[FULL].probes == found["CQJR-6.5-b"].probes == 1
    assert found[FULL].evidence[0].sm3 != found["CQJR-6.5-b"].evidence[0].sm3


def test_progress_tells_every_probe_and_the_end(probes: Probes) -> None:
    probes.plant(FULL, holds)
    probes.plant(PARTIAL, holds)
    told: list[tuple[int, int, str]] = []
    services.run_assessment(ASSESSOR, progress=lambda done, total, clause: told.append((done, total, clause)))
    assert told == [(0, 2, PARTIAL), (1, 2, FULL), (2, 2, "")]


def test_numbers_run_through_the_day(probes: Probes, system: System) -> None:
    first, second = services.run_assessment(ASSESSOR), services.run_assessment(ASSESSOR)
    system.clock.advance(timedelta(days=1))
    third = services.run_assessment(ASSESSOR)
    assert [first.number, second.number, third.number] == ["KM-20261120-001", "KM-20261120-002", "KM-20261121-001"]
    newest = services.latest()
    assert newest is not None
    assert newest.number == third.number
    assert [row.number for row in services.history()] == [third.number, second.number, first.number]


def test_latest_of_nothing_is_none_and_unknown_id_is_not_found(system: System) -> None:
    assert services.latest() is None
    with pytest.raises(AssessmentNotFoundError):
        services.view(uuid4())


def _judge(view: services.AssessmentView, clause: str, verdict: Verdict = Verdict.CONFORM) -> object:
    return services.judge(
        ASSESSOR,
        assessment_id=view.assessment_id,
        clause_id=clause,
        verdict=verdict,
        reason="审阅制度文件并访谈",
        evidence_reference="制度汇编第3册",
    )


def test_a_judgement_counts_only_after_a_second_person_approves(probes: Probes) -> None:
    view = services.run_assessment(ASSESSOR)
    judgement = _judge(view, "CQJR-6.1-a")
    assert _by_clause(services.view(view.assessment_id))["CQJR-6.1-a"].verdict is Verdict.NOT_ASSESSED
    services.approve_judgement(SECOND, judgement_id=judgement, approved=True)  # type: ignore[arg-type] # a UUID
    entry = _by_clause(services.view(view.assessment_id))["CQJR-6.1-a"]
    assert entry.verdict is Verdict.CONFORM
    assert entry.judged


def test_nobody_approves_an_own_judgement_and_the_attempt_is_recorded(probes: Probes) -> None:
    judgement = _judge(services.run_assessment(ASSESSOR), "CQJR-6.1-a")
    with pytest.raises(SamePersonError):
        services.approve_judgement(ASSESSOR, judgement_id=judgement, approved=True)  # type: ignore[arg-type] # a UUID
    assert Entry.objects.filter(action="assessment.approve_judgement", outcome="refused").count() == 1


def test_a_judgement_is_decided_once(probes: Probes) -> None:
    judgement = _judge(services.run_assessment(ASSESSOR), "CQJR-6.1-a")
    services.approve_judgement(SECOND, judgement_id=judgement, approved=False)  # type: ignore[arg-type] # a UUID
    with pytest.raises(JudgementDecidedError):
        services.approve_judgement(SECOND, judgement_id=judgement, approved=True)  # type: ignore[arg-type] # a UUID


def test_a_judgement_cannot_outweigh_a_refuted_check(probes: Probes) -> None:
    probes.plant(FULL, refuted)
    view = services.run_assessment(ASSESSOR)
    for verdict in (Verdict.CONFORM, Verdict.NOT_APPLICABLE):
        judgement = _judge(view, FULL, verdict)
        services.approve_judgement(SECOND, judgement_id=judgement, approved=True)  # type: ignore[arg-type] # a UUID
        assert _by_clause(services.view(view.assessment_id))[FULL].verdict is Verdict.NONCONFORM


def test_an_open_verdict_or_an_empty_reason_is_no_judgement(probes: Probes) -> None:
    view = services.run_assessment(ASSESSOR)
    for verdict in (Verdict.NOT_ASSESSED, Verdict.INSUFFICIENT):
        with pytest.raises(VerdictNotForPeopleError):
            _judge(view, FULL, verdict)
    with pytest.raises(ReasonMissingError):
        services.judge(
            ASSESSOR,
            assessment_id=view.assessment_id,
            clause_id=FULL,
            verdict=Verdict.PARTIAL,
            reason=" ",
            evidence_reference="x",
        )


def test_a_judgement_does_not_carry_over_to_the_next_run(probes: Probes) -> None:
    first = services.run_assessment(ASSESSOR)
    judgement = _judge(first, "CQJR-6.1-a")
    services.approve_judgement(SECOND, judgement_id=judgement, approved=True)  # type: ignore[arg-type] # a UUID
    second = services.run_assessment(ASSESSOR)
    assert _by_clause(second)["CQJR-6.1-a"].verdict is Verdict.NOT_ASSESSED
    assert Assessment.objects.count() == 2
