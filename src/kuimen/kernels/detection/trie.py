"""Turn a vocabulary into one regular expression that reads each character once."""

import re
from collections.abc import Iterable

_END = ""
Node = dict[str, "Node"]


def alternation(terms: Iterable[str]) -> str:
    """Return a pattern without a group of its own that matches the longest term at a place.

    A plain alternation of a thousand terms tries each in turn; sharing the beginnings makes the cost that of one term.
    """
    root: Node = {}
    for term in terms:
        node = root
        for letter in term:
            node = node.setdefault(letter, {})
        node[_END] = {}
    return _render(root)


def _render(node: Node) -> str:
    branches = [re.escape(letter) + _render(child) for letter, child in sorted(node.items()) if letter]
    if not branches:
        return ""
    singles = [branch for branch in branches if len(branch) == 1]
    longer = [branch for branch in branches if len(branch) > 1]
    if singles:
        longer.append(singles[0] if len(singles) == 1 else f"[{''.join(singles)}]")
    body = longer[0] if len(longer) == 1 and _END not in node else f"(?:{'|'.join(longer)})"
    return body + "?" if _END in node else body
