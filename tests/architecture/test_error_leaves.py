"""Every error of the house is a leaf of one family, with a code and a docstring of its own."""

import ast
from collections import Counter
from importlib import import_module
from pathlib import Path

import kuimen
from kuimen.foundation.errors import ERROR_TABLE, KuimenError, family_of

ROOT = Path(kuimen.__file__).parent


def leaves() -> list[type[KuimenError]]:
    """Import every module that defines an error and return all classes below the six families."""
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        if any(isinstance(base, ast.Name) and base.id.endswith("Error") for node in classes for base in node.bases):
            import_module(".".join(path.relative_to(ROOT.parent).with_suffix("").parts))
    found: list[type[KuimenError]] = []
    waiting = list(KuimenError.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind not in ERROR_TABLE and kind.__module__.startswith("kuimen."):
            found.append(kind)
    return sorted(set(found), key=lambda kind: kind.__qualname__)


def test_every_leaf_belongs_to_exactly_one_family() -> None:
    assert len(leaves()) > 60
    for kind in leaves():
        assert family_of(kind) in ERROR_TABLE, kind


def test_codes_are_the_leafs_own_unique_and_named_after_their_room() -> None:
    found = leaves()

    assert not [kind for kind in found if "code" not in vars(kind)]
    assert not [code for code, times in Counter(kind.code for kind in found).items() if times > 1]
    assert not [kind.code for kind in found if kind.code.count(".") != 1 or kind.code != kind.code.lower()]


def test_every_leaf_says_what_it_means() -> None:
    assert not [kind for kind in leaves() if not (vars(kind).get("__doc__") or "").strip()]


def test_families_have_distinct_exit_codes_and_statuses() -> None:
    assert len({rule.exit_code for rule in ERROR_TABLE.values()}) == len(ERROR_TABLE)
    assert len({rule.http_status for rule in ERROR_TABLE.values()}) == len(ERROR_TABLE)
