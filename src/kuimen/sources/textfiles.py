"""Reading text files in bounded memory: lines of plain and gzip files, CSV tables, JSON lines."""

import csv
import gzip
import io
import json
import random
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kuimen.sources.encodings import SNIFF_BYTES, sniff
from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.relations import Problem, Sample

MAX_LINE_CHARACTERS = 1 << 20
MAX_EXPANDED_BYTES = 4 << 30
_GZIP_MAGIC = b"\x1f\x8b"
_DELIMITERS = ",;\t|"
_SEED = 20240612
_MAX_PROBLEMS = 100
_HEADER_LINES = 50
_LONGEST_NUMBERED_NAME = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShape:
    """How a text file is stored."""

    encoding: str
    compressed: bool


def shape_of(path: Path) -> TextShape | None:
    """Return encoding and compression of a file, None when it is not text.

    Raises:
        RelationUnreadableError: the file cannot be opened or is a broken gzip file.
    """
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == _GZIP_MAGIC
        with gzip.open(path) if compressed else path.open("rb") as stream:
            head = stream.read(SNIFF_BYTES)
    except (OSError, EOFError, zlib.error):
        raise RelationUnreadableError("file: cannot be opened, or is a broken gzip file") from None
    encoding = sniff(head)
    return TextShape(encoding=encoding, compressed=compressed) if encoding else None


@contextmanager
def open_text(path: Path, shape: TextShape) -> Iterator[IO[str]]:
    """Open a text file for reading; undecodable bytes become replacement characters.

    Raises:
        RelationUnreadableError: the file vanished, is forbidden or breaks off.
    """
    try:
        with gzip.open(path) if shape.compressed else path.open("rb") as raw:
            stream: Any = raw
            yield io.TextIOWrapper(stream, encoding=shape.encoding, errors="replace", newline="")
    except (OSError, EOFError, zlib.error):
        raise RelationUnreadableError("file: cannot be read to its end") from None


def read_lines(path: Path, shape: TextShape) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line with its end); a line longer than 1 MiB comes in pieces of the same number.

    Raises:
        RelationUnreadableError: the file breaks off, or a compressed file expands beyond 4 GiB.
    """
    number, seen, open_line = 0, 0, False
    with open_text(path, shape) as stream:
        while piece := stream.readline(MAX_LINE_CHARACTERS):
            if not open_line:
                number += 1
            open_line = not piece.endswith(("\n", "\r"))
            seen += len(piece)
            if shape.compressed and seen > MAX_EXPANDED_BYTES:
                raise RelationUnreadableError(f"file: expands beyond 4 GiB; read up to line {number}")
            yield number, piece


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvShape:
    """Dialect of one CSV file: its delimiter, its column names, whether the first line holds them."""

    delimiter: str
    columns: tuple[str, ...]
    has_header: bool


def csv_shape(path: Path, shape: TextShape) -> CsvShape:
    """Sniff delimiter and header from the first fifty lines; deterministic, unlike `csv.Sniffer`.

    Raises:
        RelationUnreadableError: the file is empty or breaks off.
    """
    head: list[str] = []
    with open_text(path, shape) as stream:
        for _ in range(_HEADER_LINES):
            line = stream.readline(MAX_LINE_CHARACTERS)
            if not line:
                break
            head.append(line)
    if not head:
        raise RelationUnreadableError("csv: the file is empty")
    best = max(_DELIMITERS, key=lambda delimiter: _consistency(head, delimiter))
    first = next(csv.reader(head, delimiter=best), [])
    has_header = bool(first) and not any(_looks_like_data(cell) for cell in first)
    names = first if has_header else [""] * len(first)
    return CsvShape(delimiter=best, columns=_unique_names(names), has_header=has_header)


def _looks_like_data(cell: str) -> bool:
    return len(cell) > _LONGEST_NUMBERED_NAME and sum(char.isdigit() for char in cell) * 2 > len(cell)


def _consistency(lines: list[str], delimiter: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] == 1:
        return 0.0, 1
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def _unique_names(cells: list[str]) -> tuple[str, ...]:
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column_{position}"
        names.append(name if name not in names else f"{name}_{position}")
    return tuple(names)


def csv_rows(path: Path, shape: TextShape, table: CsvShape, problems: list[Problem]) -> Iterator[list[str]]:
    """Yield data rows in order; malformed ones are added to `problems` with their line and yielded as they are.

    Raises:
        RelationUnreadableError: the file breaks off.
    """
    with open_text(path, shape) as stream:
        reader = csv.reader(_without_nul(stream), delimiter=table.delimiter)
        start = 1
        while True:
            try:
                row = next(reader, None)
            except csv.Error:
                _note(problems, reader.line_num, "a field is longer than 128 KiB or a quote never ends")
                return
            line, start = start, reader.line_num + 1
            if row is None:
                return
            if not row or (table.has_header and line == 1):
                continue
            if len(row) != len(table.columns):
                _note(problems, line, f"{len(row)} fields instead of {len(table.columns)}")
            yield row


def _without_nul(stream: IO[str]) -> Iterator[str]:
    while line := stream.readline(MAX_LINE_CHARACTERS):
        yield line.replace("\x00", "\ufffd")


def _note(problems: list[Problem], line: int, reason: str) -> None:
    if len(problems) < _MAX_PROBLEMS:
        problems.append(Problem(line=line, reason=f"line {line}: {reason}"))


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
        if not value.strip():
            self.empty[column] = self.empty.get(column, 0) + 1
            return
        seen = self._seen.get(column, 0) + 1
        self._seen[column] = seen
        if len(kept) < self._capacity:
            kept.append(value[:4096])
        elif (place := self._random.randrange(seen)) < self._capacity:
            kept[place] = value[:4096]


def sample_csv(path: Path, shape: TextShape, n: int) -> Sample:
    """Read a whole CSV file once; surplus fields of malformed rows go to the column `(surplus)`.

    Raises:
        RelationUnreadableError: the file is empty or breaks off.
    """
    table = csv_shape(path, shape)
    reservoir, rows = Reservoir(n), 0
    problems: list[Problem] = []
    for name in table.columns:
        reservoir.values[name] = []
    for row in csv_rows(path, shape, table, problems):
        rows += 1
        for position, cell in enumerate(row):
            reservoir.offer(table.columns[position] if position < len(table.columns) else "(surplus)", cell)
    return Sample(
        values=reservoir.values, rows=rows, exact=True, sampled=rows, n_null=reservoir.empty, problems=problems
    )


def sample_jsonl(path: Path, shape: TextShape, n: int) -> Sample:
    """Read a whole JSON-lines file once; nested keys become dotted column names.

    Raises:
        RelationUnreadableError: the file breaks off.
    """
    reservoir, rows = Reservoir(n), 0
    problems: list[Problem] = []
    for number, line in read_lines(path, shape):
        if not line.strip():
            continue
        rows += 1
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            _note(problems, number, "not a JSON value")
            reservoir.offer("(malformed)", line)
            continue
        for name, value in flatten(document):
            reservoir.offer(name, value)
    return Sample(
        values=reservoir.values, rows=rows, exact=True, sampled=rows, n_null=reservoir.empty, problems=problems
    )


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
