"""What a rule is."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One parsed source file; `room` is its dotted path below the package, for example ``gate.vault.models``."""

    path: str
    room: str
    text: str
    tree: ast.Module


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken rule at one line."""

    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


Finding = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Source that a rule must accept or refuse, as if it stood in `room`."""

    room: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A named check over one module, with samples of itself."""

    name: str
    check: Callable[[Module], Iterator[Finding]]
    good: tuple[Sample, ...]
    bad: tuple[Sample, ...]


def dotted(node: ast.AST) -> str:
    """Return ``a.b.c`` for an attribute chain, or an empty text where it is none."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])
