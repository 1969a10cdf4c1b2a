"""Schemas of lenders that never were, every column labelled: a development half, and two that are only measured on.

Written from knowledge of how such systems are named, before the rules were looked at again; no public schema was
opened for it. A file holds tables (`@name comment`) and columns (`name|type|comment|element`, no element for none).
The held-out halves are frozen by hash (`held_out.sha256`, `unseen.sha256`): a rule is never changed because of them.
The second was written when the first had been measured on for long, in other house styles.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

SCHEMAS = Path(__file__).parent / "schemas"
_TYPES = {
    "b": "bigint(20)", "i": "int(11)", "d": "datetime", "D": "date", "m": "decimal(12,2)", "n": "numeric(16,2)",
    "t1": "tinyint(1)", "t4": "tinyint(4)", "x": "text", "mx": "mediumtext", "ts": "timestamp",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class LabelledColumn:
    """One column and what a reasonable person would say that it holds."""

    schema: str
    table: str
    name: str
    comment: str
    type: str
    element: str | None


def _sql_type(short: str) -> str:
    if short in _TYPES:
        return _TYPES[short]
    if short[0].isupper():
        return short
    return f"{'char' if short[0] == 'c' else 'varchar'}({short[1:]})"


def _read(path: Path) -> Iterator[LabelledColumn]:
    table = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            table = line[1:].split(" ")[0]
            continue
        name, kind, comment, *element = line.split("|")
        yield LabelledColumn(
            path.stem, table, name, comment, _sql_type(kind), (element[0] or None) if element else None
        )


def columns(half: str) -> list[LabelledColumn]:
    """Return the columns of `dev`, `held_out` or `unseen`."""
    return [column for path in sorted((SCHEMAS / half).glob("*.txt")) for column in _read(path)]


def frozen() -> bool:
    """Tell whether the held-out halves are what their hashes say."""
    return all(map(_as_hashed, ("held_out", "unseen")))


def _as_hashed(half: str) -> bool:
    lines = (SCHEMAS / f"{half}.sha256").read_text(encoding="utf-8").splitlines()
    said = {name: digest for digest, name in map(str.split, lines)}
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (SCHEMAS / half).glob("*.txt")}
    return said == there


@dataclass(frozen=True, slots=True)
class Confusion:
    """What a set of answers amounts to."""

    truth: tuple[str | None, ...]
    said: tuple[str | None, ...]

    def score(self, chosen: range | list[int] | None = None) -> tuple[float, float, float, float]:
        """Return micro precision, micro recall, micro F1 and macro F1 over all elements met on either side."""
        right: dict[str, int] = {}
        wrong: dict[str, int] = {}
        missed: dict[str, int] = {}
        for at in range(len(self.truth)) if chosen is None else chosen:
            truth, said = self.truth[at], self.said[at]
            if truth == said:
                if truth:
                    right[truth] = right.get(truth, 0) + 1
                continue
            if said:
                wrong[said] = wrong.get(said, 0) + 1
            if truth:
                missed[truth] = missed.get(truth, 0) + 1
        elements = {*right, *wrong, *missed}
        hits, extra, lost = sum(right.values()), sum(wrong.values()), sum(missed.values())
        macro = sum(
            2 * right.get(one, 0) / (2 * right.get(one, 0) + wrong.get(one, 0) + missed.get(one, 0)) for one in elements
        ) / max(1, len(elements))
        return (
            hits / max(1, hits + extra),
            hits / max(1, hits + lost),
            2 * hits / max(1, 2 * hits + extra + lost),
            macro,
        )

    def interval(
        self, of: Callable[[tuple[float, float, float, float]], float], *, seed: int = 9
    ) -> tuple[float, float]:
        """Return the bootstrap 95 % interval of one figure of `score`, over columns, seeded."""
        rng, size = Random(seed), len(self.truth)  # noqa: S311 - resampling, not secrecy
        drawn = sorted(of(self.score(rng.choices(range(size), k=size))) for _ in range(400))
        return drawn[9], drawn[-10]
