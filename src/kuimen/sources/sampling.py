"""Samples of table files: one pass, bounded memory, the same file gives the same sample."""

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.relations import Problem, Sample
from kuimen.sources.textfiles import UNDECODED, TextShape, csv_rows, csv_shape, note_problem, read_lines

_SEED = 20240612
_VALUE_CHARACTERS = 4096
_CLOSE_LOOK_ROWS = 20_000
_STRIDE = 10
SURPLUS = "(surplus)"
MALFORMED = "(malformed)"


class Reservoir:
    """Keeps a uniform, reproducible sample of the non-empty values of each column in one pass."""

    def __init__(self, capacity: int) -> None:
        """Keep at most `capacity` values of each column."""
        self._capacity = capacity
        self._random = random.Random(_SEED)  # noqa: S311 - the same file must give the same sample
        self.values: dict[str, list[str]] = {}
        self._seen: dict[str, int] = {}
        self.empty: dict[str, int] = {}

    def offer(self, column: str, value: str) -> None:
        """Take one cell into account."""
        kept = self.values.setdefault(column, [])
        if not value or value.isspace():
            self.empty[column] = self.empty.get(column, 0) + 1
            return
        seen = self._seen.get(column, 0) + 1
        self._seen[column] = seen
        if len(kept) < self._capacity:
            kept.append(value[:_VALUE_CHARACTERS])
        elif (place := self._random.randrange(seen)) < self._capacity:
            kept[place] = value[:_VALUE_CHARACTERS]

    def offer_rows(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
        """Take rows into account and return their number.

        After 20,000 rows a column whose sample is full is looked at in every tenth row only; others in every row, so
        that a column that is almost empty still shows what it holds.
        """
        number = 0
        width = len(columns)
        for row in rows:
            number += 1
            close = number <= _CLOSE_LOOK_ROWS or number % _STRIDE == 0
            if not close and len(row) == width:
                for column, value in zip(columns, row, strict=True):
                    if value and len(self.values[column]) < self._capacity:
                        self.offer(column, value)
                continue
            for position, value in enumerate(row):
                self.offer(columns[position] if position < width else SURPLUS, value)
        return number

    def sample(self, *, rows: int, problems: Sequence[Problem] = (), sampled: int | None = None) -> Sample:
        """Return what was kept, for a relation of `rows` rows."""
        return Sample(
            values=self.values,
            rows=rows,
            exact=True,
            sampled=rows if sampled is None else sampled,
            n_null=self.empty,
            problems=problems,
        )


def spread(values: Sequence[str], n: int) -> list[str]:
    """Return `n` values evenly spaced over a longer sequence, so that the end of a table counts like its beginning."""
    if len(values) <= n:
        return list(values)
    return [values[place * len(values) // n] for place in range(n)]


def sample_csv(path: Path, shape: TextShape, n: int) -> Sample:
    """Read a whole CSV file once; surplus fields of malformed rows go to the column `(surplus)`.

    A file that breaks off gives what stands before the break, with the break among its problems.

    Raises:
        RelationUnreadableError: the file is empty or cannot be opened.
    """
    table = csv_shape(path, shape)
    reservoir = Reservoir(n)
    problems: list[Problem] = []
    for name in table.columns:
        reservoir.values[name] = []
    counted = _Counted(csv_rows(path, shape, table, problems), problems)
    reservoir.offer_rows(table.columns, counted)
    return reservoir.sample(rows=counted.number, problems=problems)


class _Counted:
    """Counts rows, and turns the break of a file into a problem of what was read before it."""

    def __init__(self, rows: Iterable[list[str]], problems: list[Problem]) -> None:
        self._rows = rows
        self._problems = problems
        self.number = 0

    def __iter__(self) -> Iterator[list[str]]:
        try:
            for row in self._rows:
                self.number += 1
                yield row
        except RelationUnreadableError as error:
            if not self.number:
                raise
            self._problems.append(Problem(line=self.number, reason=f"after row {self.number}: {error}"))


def sample_jsonl(path: Path, shape: TextShape, n: int) -> Sample:
    """Read a whole JSON-lines file once; nested keys become dotted column names.

    Raises:
        RelationUnreadableError: the file cannot be opened.
    """
    reservoir, rows = Reservoir(n), 0
    problems: list[Problem] = []
    last = 0
    try:
        for number, line in read_lines(path, shape):
            if not line.strip():
                continue
            rows += number != last
            last = number
            if UNDECODED in line:
                note_problem(problems, number, "bytes that are no text of this encoding; read as �")
            try:
                document = json.loads(line)
            except (ValueError, RecursionError):
                note_problem(problems, number, "not a JSON value")
                reservoir.offer(MALFORMED, line)
                continue
            for name, value in flatten(document):
                reservoir.offer(name, value)
    except RelationUnreadableError as error:
        if not last:
            raise
        problems.append(Problem(line=last, reason=f"after line {last}: {error}"))
    return reservoir.sample(rows=rows, problems=problems)


def flatten(document: object, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (dotted name, text) of every scalar of a JSON value; list items share their list's name."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from flatten(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(document, list):
        for value in document:
            yield from flatten(value, prefix)
    elif document is not None:
        yield prefix or "value", document if isinstance(document, str) else json.dumps(document)
