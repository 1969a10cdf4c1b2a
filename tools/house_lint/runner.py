"""Runs every rule over a tree."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tools.house_lint import rules_of_data, rules_of_form, rules_of_plan
from tools.house_lint.model import Module, Rule, Violation

RULES: tuple[Rule, ...] = (*rules_of_data.RULES, *rules_of_form.RULES, *rules_of_plan.RULES)
ESCAPE = "house-lint: "  # `# house-lint: rule-name, reason` on the line excuses it


def parse_module(text: str, *, path: str, room: str) -> Module:
    """Parse one source text."""
    return Module(path=path, room=room, text=text, tree=ast.parse(text))


def check_module(module: Module) -> Iterator[Violation]:
    """Yield what is broken in one module; an excuse must name the rule and give a reason."""
    lines = module.text.splitlines()
    for rule in RULES:
        for line, message in rule.check(module):
            text = lines[line - 1] if 0 < line <= len(lines) else ""
            if f"{ESCAPE}{rule.name}, " in text:
                continue
            yield Violation(path=module.path, line=line, rule=rule.name, message=message)


def check_tree(root: Path) -> list[Violation]:
    """Check every Python file below `root` (a folder that holds the package)."""
    found: list[Violation] = []
    for path in sorted(root.rglob("*.py")):
        if "migrations" in path.parts:
            continue
        room = ".".join(path.relative_to(root).with_suffix("").parts[1:]).removesuffix(".__init__")
        found.extend(check_module(parse_module(path.read_text("utf-8"), path=str(path), room=room)))
    return found
