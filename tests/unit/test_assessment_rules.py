"""Verdicts: a control may refute anything, but confirms only what a machine sees whole."""

import dataclasses
from itertools import product

import pytest

from kuimen.assessment.rules import (
    Conclusion,
    Finding,
    ProbeReport,
    Verdict,
    conclude,
    machine_finding,
    may_approve,
    tally,
    with_judgement,
)
from kuimen.standard import Automatable, Clause, Outcome, Status, load_catalogue


def clause(automatable: Automatable = Automatable.FULL, status: Status = Status.IMPLEMENTED) -> Clause:
    return dataclasses.replace(load_catalogue().clause("CQJR-5.4-d"), automatable=automatable, status=status)


def report(outcome: Outcome, *, fault: str = "") -> ProbeReport:
    return ProbeReport(name="room.controls.probe", outcome=outcome, fault=fault, remedy_zh="改", remedy_en="mend")


HOLDS, REFUTED = report(Outcome.HOLDS), report(Outcome.REFUTED)
BROKEN = report(Outcome.INSUFFICIENT, fault="keys.locked")
ALL_REPORTS = (HOLDS, REFUTED, BROKEN, report(Outcome.INSUFFICIENT), report(Outcome.NOT_APPLICABLE))


@pytest.mark.parametrize(("automatable", "status"), list(product(Automatable, Status)))
def test_green_needs_a_whole_machine_view_and_a_finished_control(automatable: Automatable, status: Status) -> None:
    verdict = machine_finding(clause(automatable, status), [HOLDS, HOLDS]).verdict
    green = automatable is Automatable.FULL and status is Status.IMPLEMENTED
    assert verdict is (Verdict.CONFORM if green else Verdict.INSUFFICIENT)


@pytest.mark.parametrize(("automatable", "status"), list(product(Automatable, Status)))
def test_no_probe_is_never_green(automatable: Automatable, status: Status) -> None:
    finding = machine_finding(clause(automatable, status), [])
    assert finding.verdict is Verdict.NOT_ASSESSED
    assert finding.reason_zh
    assert finding.reason_en


@pytest.mark.parametrize("pair", list(product(ALL_REPORTS, repeat=2)))
def test_any_refutation_decides_and_only_unbroken_holding_is_green(pair: tuple[ProbeReport, ProbeReport]) -> None:
    verdict = machine_finding(clause(), pair).verdict
    outcomes = {entry.outcome for entry in pair}
    if Outcome.REFUTED in outcomes:
        assert verdict is Verdict.NONCONFORM
    elif Outcome.INSUFFICIENT in outcomes:
        assert verdict is Verdict.INSUFFICIENT
    elif Outcome.HOLDS in outcomes:
        assert verdict is Verdict.CONFORM
    else:
        assert verdict is Verdict.NOT_ASSESSED


def test_a_machine_never_says_not_applicable() -> None:
    finding = machine_finding(clause(), [report(Outcome.NOT_APPLICABLE)])
    assert finding.verdict is Verdict.NOT_ASSESSED
    assert "第二人批准" in finding.reason_zh


def test_a_broken_probe_is_named_by_its_code() -> None:
    assert "keys.locked" in machine_finding(clause(), [HOLDS, BROKEN]).reason_zh


def test_order_of_probes_changes_nothing() -> None:
    for pair in product(ALL_REPORTS, repeat=2):
        assert machine_finding(clause(), pair).verdict is machine_finding(clause(), pair[::-1]).verdict


def test_a_refuted_check_caps_what_a_person_may_judge() -> None:
    machine = machine_finding(clause(), [REFUTED])
    for verdict, expected in (
        (Verdict.CONFORM, Verdict.NONCONFORM),
        (Verdict.NOT_APPLICABLE, Verdict.NONCONFORM),
        (Verdict.PARTIAL, Verdict.PARTIAL),
        (Verdict.NONCONFORM, Verdict.NONCONFORM),
    ):
        found: Finding = with_judgement(machine, verdict=verdict, reason="见附件", refuted=True)
        assert found.verdict is expected


def test_one_nonconformity_or_one_open_clause_blocks_a_conclusion() -> None:
    green = [Verdict.CONFORM] * 69
    assert conclude(green) is Conclusion.CONFORM
    assert conclude([*green, Verdict.NOT_APPLICABLE]) is Conclusion.CONFORM
    assert conclude([*green, Verdict.PARTIAL]) is Conclusion.LARGELY
    assert conclude([*green, Verdict.NOT_ASSESSED]) is Conclusion.OPEN
    assert conclude([*green, Verdict.INSUFFICIENT]) is Conclusion.OPEN
    assert conclude([*green, Verdict.NOT_ASSESSED, Verdict.NONCONFORM]) is Conclusion.NONCONFORM
    assert conclude([]) is Conclusion.OPEN


def test_tally_keeps_every_verdict_in_the_denominator() -> None:
    counted = tally([Verdict.CONFORM, Verdict.NOT_ASSESSED])
    assert list(counted) == list(Verdict)
    assert sum(counted.values()) == 2


def test_nobody_approves_alone() -> None:
    assert may_approve(judged_by="S1", approver="S2")
    assert not may_approve(judged_by="S1", approver="S1")
    assert not may_approve(judged_by="S1", approver="")
