"""Probes and their registration: no evidence, no outcome."""

from datetime import UTC, datetime, timedelta

import pytest

from kuimen.standard import Observation, Outcome, ProbeContext, ProbeResult, control, registered_controls
from kuimen.standard import controls as controls_module
from kuimen.standard.errors import DuplicateControlError, EmptyEvidenceError, UnknownClauseError

SEEN = (Observation(title_zh="看到的", title_en="what was seen", facts={"rows": 3}),)
CONTEXT = ProbeContext(at=datetime(2026, 11, 21, tzinfo=UTC))


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(controls_module, "_REGISTRY", {})


def holds(_: ProbeContext) -> ProbeResult:
    return ProbeResult(outcome=Outcome.HOLDS, observations=SEEN)


def refuted(_: ProbeContext) -> ProbeResult:
    return ProbeResult(outcome=Outcome.REFUTED, observations=SEEN, remedy_zh="改", remedy_en="mend")


def test_a_probe_that_saw_nothing_cannot_report_anything() -> None:
    for outcome in Outcome:
        with pytest.raises(EmptyEvidenceError):
            ProbeResult(outcome=outcome, observations=(), remedy_zh="改", remedy_en="mend")


def test_a_refutation_must_say_what_to_do() -> None:
    with pytest.raises(EmptyEvidenceError, match="remedy"):
        ProbeResult(outcome=Outcome.REFUTED, observations=SEEN, remedy_zh="改")


def test_control_of_an_unknown_clause_fails_at_import() -> None:
    with pytest.raises(UnknownClauseError):
        control("CQJR-5.4-z", title_zh="无", title_en="none")


def test_same_probe_twice_for_one_clause_is_refused() -> None:
    control("CQJR-5.4-d", title_zh="一", title_en="one")(holds)
    with pytest.raises(DuplicateControlError):
        control("CQJR-5.4-d", title_zh="二", title_en="two")(holds)


def test_two_rooms_may_watch_one_clause_and_the_gravest_outcome_speaks() -> None:
    control("CQJR-5.4-d", title_zh="一", title_en="one")(holds)
    control("CQJR-5.4-d", title_zh="二", title_en="two")(refuted)
    found = registered_controls()["CQJR-5.4-d"]
    assert len(found.probes) == 2
    result = found.probe(CONTEXT)
    assert result.outcome is Outcome.REFUTED
    assert result.remedy_zh == "改"
    assert len(result.observations) == 2


def test_the_decorator_leaves_the_probe_callable() -> None:
    decorated = control("CQJR-5.4-d", title_zh="一", title_en="one")(holds)
    assert decorated is holds


def test_controls_are_listed_in_catalogue_order() -> None:
    control("JRT0171-7.3-c", title_zh="后", title_en="later")(holds)
    control("CQJR-5.4-d", title_zh="先", title_en="first")(refuted)
    assert list(registered_controls()) == ["CQJR-5.4-d", "JRT0171-7.3-c"]


def test_context_looks_back_one_period() -> None:
    assert CONTEXT.at - CONTEXT.since == timedelta(days=30)
