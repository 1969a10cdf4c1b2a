"""Whether a pattern can be let loose on any text: decided from its structure, before it ever runs.

A pattern is refused when a repetition has no end, when repetitions stand inside repetitions, when it can match nothing,
or when its repetitions multiply to more ways than `MOST_WAYS`. What is left costs at most that many steps at a place.
"""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from kuimen.kernels.detection.rules.errors import RuleUnsafeError

# The parser of the standard library: what it reads is what `re` runs.
sre: Any = import_module("re._constants")
sre_parser: Any = import_module("re._parser")
LONGEST_PATTERN = 1000
LONGEST_REPETITION = 512
MOST_WAYS = 50_000

_REPEATS = frozenset({sre.MAX_REPEAT, sre.MIN_REPEAT, getattr(sre, "POSSESSIVE_REPEAT", sre.MAX_REPEAT)})
_REFUSED = {
    sre.GROUPREF: "a reference to an earlier group",
    sre.GROUPREF_EXISTS: "a condition on an earlier group",
}


def check_pattern(pattern: str) -> None:
    """Accept a pattern or say what makes it unsafe.

    Raises:
        RuleUnsafeError: it is no pattern, or of a kind named above.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise RuleUnsafeError(f"pattern: longer than {LONGEST_PATTERN} characters")
    try:
        parsed = sre_parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        raise RuleUnsafeError("pattern: is no regular expression of Python") from None
    ways = _ways(parsed, inside=False)
    if ways > MOST_WAYS:
        raise RuleUnsafeError(f"pattern: its repetitions multiply to more than {MOST_WAYS:,} ways; bound them")
    if compiled.match(""):
        raise RuleUnsafeError("pattern: matches nothing at all; demand at least one character")


def _ways(parsed: Iterable[tuple[Any, Any]], *, inside: bool) -> int:
    """Return in how many ways a sequence can divide a text; the product of its repetitions."""
    ways = 1
    for operation, argument in parsed:
        if operation in _REFUSED:
            raise RuleUnsafeError(f"pattern: {_REFUSED[operation]} is not allowed")
        if operation in _REPEATS:
            ways *= _repetition(argument, inside=inside)
        elif operation is sre.BRANCH:
            ways *= sum(_ways(branch, inside=inside) for branch in argument[1])
        elif operation is sre.SUBPATTERN:
            ways *= _ways(argument[3], inside=inside)
        elif operation in (sre.ASSERT, sre.ASSERT_NOT):
            ways *= _ways(argument[1], inside=inside)
        elif operation is sre.ATOMIC_GROUP:
            ways *= _ways(argument, inside=inside)
    return ways


def _repetition(argument: tuple[int, Any, Any], *, inside: bool) -> int:
    fewest, most, body = argument
    if most is sre.MAXREPEAT or most > LONGEST_REPETITION:
        raise RuleUnsafeError(f"pattern: a repetition without end; bound it, at most {{0,{LONGEST_REPETITION}}}")
    varies = most != fewest
    if inside and varies and most > 1:
        raise RuleUnsafeError("pattern: a repetition inside a repetition; write it without nesting")
    within = _ways(body, inside=inside or most > 1)
    if most > 1 and within > 1 and any(operation is sre.BRANCH for operation, _ in _flat(body)):
        raise RuleUnsafeError("pattern: alternatives inside a repetition; use a character class")
    return (int(most) - int(fewest) + 1) * within


def _flat(parsed: Iterable[tuple[Any, Any]]) -> Iterable[tuple[Any, Any]]:
    for operation, argument in parsed:
        yield operation, argument
        if operation is sre.SUBPATTERN:
            yield from _flat(argument[3])
