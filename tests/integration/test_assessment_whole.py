"""The whole assessment with every installed control, on a small lender at work."""

from datetime import timedelta

import pytest

from fixtures.collecting import open_department
from fixtures.installed import System
from kuimen.assessment import services
from kuimen.assessment.facts import fact_titles
from kuimen.assessment.rules import Verdict
from kuimen.assessment.running import import_controls
from kuimen.gate.audit import services as audit
from kuimen.gate.keys import services as keys
from kuimen.standard import Automatable, Status, load_catalogue, registered_controls

ASSESSOR = audit.Actor(kind="staff", ref="S0009", label="评估员")


@pytest.fixture
def assessed(system: System) -> services.AssessmentView:
    open_department(each=1)
    audit.sequence_pending(keys.keyring().signer())
    return services.run_assessment(ASSESSOR)


def test_no_installed_probe_breaks_on_a_lender_at_work(assessed: services.AssessmentView) -> None:
    broken = {item.probe: item.fault for item in assessed.evidence if item.fault}
    assert broken == {}


def test_every_control_of_every_room_was_run(assessed: services.AssessmentView) -> None:
    import_controls()
    expected = {(probe.clause, probe.name) for entry in registered_controls().values() for probe in entry.probes}
    assert {(item.clause_id, item.probe) for item in assessed.evidence} == expected


def test_every_fact_has_a_chinese_name(assessed: services.AssessmentView) -> None:
    names = {name for item in assessed.evidence for seen in item.document["observations"] for name in seen["facts"]}
    assert names - set(fact_titles()) == set()


def test_green_only_where_the_catalogue_lets_a_machine_judge(assessed: services.AssessmentView) -> None:
    green = [entry.clause for entry in assessed.clauses if entry.verdict is Verdict.CONFORM]
    assert green
    assert all(clause.automatable is Automatable.FULL for clause in green)
    assert all(clause.status is Status.IMPLEMENTED for clause in green)


def test_nothing_without_a_control_is_anything_but_not_assessed(assessed: services.AssessmentView) -> None:
    controlled = set(registered_controls())
    for entry in assessed.clauses:
        if entry.clause.id not in controlled:
            assert entry.verdict is Verdict.NOT_ASSESSED, entry.clause.id


def test_at_least_twelve_clauses_of_the_loan_standard_are_watched() -> None:
    watched = [
        clause.id
        for clause in load_catalogue().of_list("cqjr009")
        if clause.status in (Status.IMPLEMENTED, Status.PARTIAL)
    ]
    assert len(watched) >= 12


def test_locked_keys_make_probes_insufficient_and_never_green(system: System) -> None:
    open_department(each=1)
    keys.lock()
    system.clock.advance(timedelta(minutes=1))
    view = services.run_assessment(ASSESSOR)
    for item in view.evidence:
        if item.fault:
            verdict = next(entry.verdict for entry in view.clauses if entry.clause.id == item.clause_id)
            assert verdict in (Verdict.INSUFFICIENT, Verdict.NONCONFORM)
