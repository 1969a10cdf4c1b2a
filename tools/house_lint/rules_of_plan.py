"""Rules of the floor plan: what each file of a room may not do."""

import ast
from collections.abc import Iterator

from tools.house_lint.model import Finding, Module, Rule, Sample

FRAMEWORKS = frozenset({"django", "psycopg", "ninja", "allauth", "procrastinate", "click", "rich"})
SIGNALS = frozenset({"django.dispatch", "django.db.models.signals", "django.core.signals"})


def _imports(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)


def check_pure_rules(module: Module) -> Iterator[Finding]:
    """A decision that needs a framework cannot be tested as values in, decision out."""
    kind = module.room.split(".")[-1]
    if kind not in {"rules", "errors"}:
        return
    for line, name in _imports(module):
        if name.split(".")[0] in FRAMEWORKS or (kind == "errors" and name.split(".")[0] == "http"):
            yield line, f"{kind}.py imports `{name}`; decisions and errors know no framework and no HTTP"


def check_plain_models(module: Module) -> Iterator[Finding]:
    """Logic that runs because a row is saved is logic nobody reads."""
    for line, name in _imports(module):
        if name in SIGNALS:
            yield line, "signals act at a distance; let the use case call what must follow"
    if module.room.split(".")[-1] != "models":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef) and node.name in {"save", "delete", "full_clean", "clean"}:
            yield node.lineno, f"`{node.name}()` in a model hides a decision; put it into services.py or a constraint"


RULES = (
    Rule(
        name="pure-rules",
        check=check_pure_rules,
        good=(
            Sample(room="gate.access.rules", code="from enum import StrEnum"),
            Sample(room="gate.access.services", code="from django.db import transaction"),
        ),
        bad=(
            Sample(room="gate.access.rules", code="from django.db import models"),
            Sample(room="gate.access.errors", code="from http import HTTPStatus"),
            Sample(room="ledger.loans.rules", code="import psycopg.sql"),
        ),
    ),
    Rule(
        name="plain-models",
        check=check_plain_models,
        good=(Sample(room="ledger.loans.models", code="class Loan(models.Model):\n    x = models.UUIDField()"),),
        bad=(
            Sample(room="ledger.loans.models", code="class Loan:\n    def save(self):\n        pass"),
            Sample(room="ledger.loans.apps", code="from django.db.models.signals import post_save"),
        ),
    ),
)
