"""Names of facts for readers. Probes name facts in English; reports and pages print them in the reader's language."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml


@cache
def fact_titles() -> Mapping[str, str]:
    """Return the Chinese name of every fact that has one."""
    text = files("kuimen.assessment").joinpath("fact_titles.yaml").read_text(encoding="utf-8")
    loaded: dict[str, str] = yaml.safe_load(text)
    return MappingProxyType(loaded)


def fact_title(name: str, *, chinese: bool = True) -> str:
    """Return how a fact is called in a report; a fact without a Chinese name keeps its own."""
    return fact_titles().get(name, name) if chinese else name.replace("_", " ").capitalize()
