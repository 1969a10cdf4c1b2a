"""`kuimen index` below the installation: which step is meant, and what a plan looks like."""

import numpy as np
import pytest
from click.testing import CliRunner

from kuimen.entrypoints.cli.index_command import StepUnclearError, index
from kuimen.entrypoints.terminal.leakage import plan_facts, show_plans
from kuimen.gate.vault.part_rules import IndexName, Part
from kuimen.gate.vault.parts.leakage import Counts, flaws_of, measures_of
from kuimen.gate.vault.parts.planner import Plan
from kuimen.kernels.elements.model import Element


def plan_of(sizes: list[int], element: Element, part: Part) -> Plan:
    counts = np.array(sizes)
    measures = measures_of(Counts(records=counts, people=counts), part=part)
    return Plan(
        name=IndexName(element=element, part=part),
        measures=measures,
        flaws=flaws_of(measures, part=part, declared=True),
        unopened=0,
    )


@pytest.mark.parametrize("step", [[], ["--reason", "按尾号核对", "--ticket", "6b1c1c4e-0000-4000-8000-000000000000"]])
def test_a_build_says_whether_to_apply_or_to_carry_out(step: list[str]) -> None:
    asked = CliRunner().invoke(index, ["build", "mobile", "last_four", "--token-file", "none.token", *step])
    assert isinstance(asked.exception, StepUnclearError)


def test_a_plan_shows_the_measures_and_why_an_index_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    plans = [
        plan_of([2] * 5_000, Element.MOBILE, Part.LAST_FOUR),
        plan_of([900, 300, 100], Element.PERSON_NAME, Part.SURNAME),
    ]
    show_plans(plans)
    shown = "".join(capsys.readouterr().out.split())
    assert "mobile/last_four" in shown
    assert "只有3种取值，少于256种" in shown
    assert "themostfrequentvalueholds69.23%,morethan1%" in shown
    facts = plan_facts(plans)
    assert [one["admitted"] for one in facts] == [True, False]
    assert facts[1]["reasons"] == ["too_few_values", "skewed", "nameable"]
