"""Rules as data: those that come with Kuimen, and an institution's own in their place or beside them."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from kuimen.kernels.detection.rules.errors import RuleError, RuleSampleError, RuleUnsafeError
from kuimen.kernels.detection.rules.model import CHECKS, Rule, RuleFile, RuleSet, Template, read_rules, try_samples
from kuimen.kernels.detection.rules.safety import check_pattern

__all__ = [
    "CHECKS",
    "Rule",
    "RuleError",
    "RuleFile",
    "RuleSampleError",
    "RuleSet",
    "RuleUnsafeError",
    "Template",
    "built_in_rules",
    "check_pattern",
    "combine",
    "parse_rules",
    "read_rules",
    "try_samples",
]
_BUILT_IN = "rules.yaml"


def parse_rules(text: str, *, source: str) -> RuleFile:
    """Read a file of rules from its YAML.

    Raises:
        RuleError: see `read_rules`; or the text is no YAML.
    """
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        raise RuleError(f"{source}: is not YAML") from None
    return read_rules(content, source=source)


@cache
def built_in_rules() -> RuleSet:
    """Return the rules that come with Kuimen."""
    text = files(__package__).joinpath(_BUILT_IN).read_text(encoding="utf-8")
    return parse_rules(text, source="built in").rule_set


def combine(texts: Mapping[str, str]) -> RuleSet:
    """Return the built-in rules with an institution's files over them, in order of their names.

    Raises:
        RuleError: one of the files is refused.
    """
    combined = built_in_rules()
    for source in sorted(texts):
        given = parse_rules(texts[source], source=source)
        combined = combined.overridden_by(given.rule_set, given.disabled)
    return combined
