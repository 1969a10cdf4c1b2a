import pytest

from tools.house_lint.model import Rule, Sample
from tools.house_lint.runner import ESCAPE, RULES, check_module, parse_module


def _cases(kind: str) -> list[object]:
    return [
        pytest.param(rule, sample, id=f"{rule.name}-{number}")
        for rule in RULES
        for number, sample in enumerate(getattr(rule, kind))
    ]


def _broken(rule: Rule, sample: Sample) -> list[object]:
    return list(rule.check(parse_module(sample.code, path="sample.py", room=sample.room)))


@pytest.mark.parametrize(("rule", "sample"), _cases("bad"))
def test_a_bad_sample_is_refused(rule: Rule, sample: Sample) -> None:
    assert _broken(rule, sample)


@pytest.mark.parametrize(("rule", "sample"), _cases("good"))
def test_a_good_sample_is_accepted(rule: Rule, sample: Sample) -> None:
    assert not _broken(rule, sample)


def test_an_excuse_needs_the_name_of_the_rule_and_a_reason() -> None:
    line = "datetime.now(tz=UTC)  # "
    named = parse_module(line + ESCAPE + "wall-clock, measures elapsed time", path="s.py", room="gate.audit.services")
    other = parse_module(line + ESCAPE + "broad-except, wrong rule", path="s.py", room="gate.audit.services")
    assert not list(check_module(named))
    assert list(check_module(other))
