"""Records inside text columns: JSON objects and `key=value` cells are opened, each key a column of its own."""

import json
import re
from collections.abc import Iterator, Sequence

_MOST_PATHS, _DEEPEST, _MOST_CELLS = 64, 4, 300
_LEAST_RECORDS = 0.5
_LEAST_SHARE = 0.05
# A key that could itself be a value stays unnamed.
_KEY = re.compile(r"[A-Za-z_\u4e00-\u9fff](?:(?![0-9]{6})[\w.-]){0,40}")
_PAIR = re.compile(r"([A-Za-z_\u4e00-\u9fff][\w.-]{0,40})\s*[=:：]\s*(\"[^\"]*\"|'[^']*'|[^,;&|，；\s{}\"']{1,200})")
_PAIRS_ONLY = re.compile(r"[\s,;&|，；?]*")
_MANY = "[]"
_SIGNS = frozenset("=:：")


def open_records(cells: Sequence[str]) -> dict[str, list[str]]:
    """Return the values below each path, if most cells are records; an empty mapping otherwise.

    Paths are written `a.b` and `a[].b`; keys met in fewer than one record in twenty are left out.
    """
    looked = cells[:_MOST_CELLS]
    opened = [record for record in map(_open, looked) if record]
    if not opened or len(opened) < _LEAST_RECORDS * len(looked):
        return {}
    found: dict[str, list[str]] = {}
    for record in opened:
        for path, value in record:
            if path in found or len(found) < _MOST_PATHS:
                found.setdefault(path, []).append(value)
    return {path: values for path, values in found.items() if len(values) >= _LEAST_SHARE * len(opened)}


def _open(cell: str) -> list[tuple[str, str]]:
    text = cell.strip()
    if text[:1] in "{[":
        try:
            return list(_leaves(json.loads(text), "", 0))
        except (ValueError, RecursionError):
            return []
    if _SIGNS.isdisjoint(text):
        return []
    pairs = list(_PAIR.finditer(text))
    rest = "".join(text[end:start] for end, start in _gaps(pairs, len(text)))
    if not pairs or _PAIRS_ONLY.fullmatch(rest) is None:
        return []
    return [(match[1], match[2].strip("\"'")) for match in pairs]


def _gaps(pairs: Sequence[re.Match[str]], length: int) -> Iterator[tuple[int, int]]:
    end = 0
    for match in pairs:
        yield end, match.start()
        end = match.end()
    yield end, length


def _leaves(node: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST:
        return
    if isinstance(node, dict):
        for key, below in node.items():
            if isinstance(key, str) and _KEY.fullmatch(key):
                yield from _leaves(below, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(node, list):
        for below in node[:20]:
            yield from _leaves(below, f"{path}{_MANY}", depth + 1)
    elif path and path != _MANY and node is not None and not isinstance(node, bool):
        yield path, str(node)


def key_of(path: str) -> str:
    """Return the last key of a path."""
    return path.rpartition(".")[2].removesuffix(_MANY)
