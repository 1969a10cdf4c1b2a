"""Reading text files in bounded memory: lines of plain and gzip files and of archive members, rows of CSV tables."""

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kuimen.sources.encodings import SNIFF_BYTES, examine
from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.relations import Problem
from kuimen.sources.stored import READ_ERRORS, GuardedExpansion, StoredFile

MAX_LINE_CHARACTERS = 1 << 20
UNDECODED = "\ufffd"
_GZIP_MAGIC = b"\x1f\x8b"
_DELIMITERS = ",;\t|"
_MAX_PROBLEMS = 100
_HEADER_LINES = 50
_LONGEST_NUMBERED_NAME = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShape:
    """How a text file is stored.

    Attributes:
        encoding: name of its encoding.
        compressed: a gzip file.
        members: the way to it through archives, empty for a file of its own.
        damaged: its first MiB breaks the rules of its encoding somewhere.
    """

    encoding: str
    compressed: bool
    members: tuple[str, ...] = ()
    damaged: bool = False


def shape_of(path: Path, *, members: tuple[str, ...] = ()) -> TextShape | None:
    """Return encoding and compression of a file, None when it is not text.

    Raises:
        RelationUnreadableError: the file cannot be opened or is a broken gzip file.
    """
    stored = StoredFile(path=path, members=members)
    with stored.opened() as raw:
        compressed = raw.read(2) == _GZIP_MAGIC
    try:
        with stored.opened() as raw:
            head = _expanded_head(raw) if compressed else raw.read(SNIFF_BYTES)
    except READ_ERRORS:
        raise RelationUnreadableError("file: cannot be opened, or is a broken gzip file") from None
    found = examine(head)
    if found is None:
        return None
    return TextShape(encoding=found.encoding, compressed=compressed, members=members, damaged=found.damaged)


def _expanded_head(raw: IO[bytes]) -> bytes:
    """Expand the head of a gzip file; what stands before a break counts."""
    head = b""
    expanded = gzip.GzipFile(fileobj=raw)
    try:
        while len(head) < SNIFF_BYTES and (piece := expanded.read1(SNIFF_BYTES)):
            head += piece
    except READ_ERRORS:
        if not head:
            raise
    return head


@contextmanager
def open_bytes(path: Path, shape: TextShape) -> Iterator[IO[bytes]]:
    """Open a text file for reading its bytes, expanded where it is a gzip file.

    Raises:
        RelationUnreadableError: the file vanished, is forbidden, breaks off or expands beyond all measure.
    """
    try:
        with StoredFile(path=path, members=shape.members).opened() as raw:
            stream: IO[bytes] = raw
            if shape.compressed:
                size = 0 if shape.members else path.stat().st_size
                guarded = GuardedExpansion(gzip.GzipFile(fileobj=raw), compressed_size=size)
                stream = io.BufferedReader(guarded, io.DEFAULT_BUFFER_SIZE * 8)
            yield stream
    except READ_ERRORS:
        raise RelationUnreadableError("file: cannot be read to its end") from None


@contextmanager
def open_text(path: Path, shape: TextShape) -> Iterator[IO[str]]:
    """Open a text file for reading; undecodable bytes become replacement characters. Errors as above."""
    with open_bytes(path, shape) as stream:
        yield io.TextIOWrapper(stream, encoding=shape.encoding, errors="replace", newline="")


def read_lines(path: Path, shape: TextShape) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, line with its end); a line longer than 1 MiB comes in pieces of the same number.

    Raises:
        RelationUnreadableError: the file breaks off or expands beyond all measure.
    """
    number, open_line = 0, False
    with open_text(path, shape) as stream:
        while piece := stream.readline(MAX_LINE_CHARACTERS):
            if not open_line:
                number += 1
            open_line = not piece.endswith(("\n", "\r"))
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
    has_header = bool(first) and not any(looks_like_data(cell) for cell in first)
    names = first if has_header else [""] * len(first)
    return CsvShape(delimiter=best, columns=unique_names(names), has_header=has_header)


def looks_like_data(cell: str) -> bool:
    """Tell a cell of data from the name of a column."""
    return len(cell) > _LONGEST_NUMBERED_NAME and sum(char.isdigit() for char in cell) * 2 > len(cell)


def _consistency(lines: list[str], delimiter: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] == 1:
        return 0.0, 1
    return sum(width == widths[0] for width in widths) / len(widths), widths[0]


def unique_names(cells: Sequence[str]) -> tuple[str, ...]:
    """Return a name for every column: its own, or its place; no name twice."""
    names: list[str] = []
    for position, cell in enumerate(cells, start=1):
        name = cell.strip() or f"column_{position}"
        names.append(name if name not in names else f"{name}_{position}")
    return tuple(names)


def csv_rows(path: Path, shape: TextShape, table: CsvShape, problems: list[Problem]) -> Iterator[list[str]]:
    """Yield data rows in order; malformed ones are added to `problems` with their line and yielded as they are.

    Where a quote never ends, the lines that it swallowed are yielded one by one, cut at the delimiter.

    Raises:
        RelationUnreadableError: the file breaks off.
    """
    with open_text(path, shape) as stream:
        lines = _RecordLines(stream, problems)
        reader = csv.reader(lines, delimiter=table.delimiter)
        start = 1
        while True:
            lines.record.clear()
            try:
                row = next(reader, None)
            except csv.Error:
                row = []
                note_problem(problems, start, "a field is longer than 128 KiB or a quote never ends")
            line, start = start, lines.number + 1
            if row is None:
                return
            broken = len(lines.record) > 1 and len(row) != len(table.columns)
            if broken and row:
                note_problem(problems, line, "a quote never ends, or a record is broken over lines")
            if broken or (not row and lines.record[0].strip()):
                yield from (one.rstrip("\r\n").split(table.delimiter) for one in lines.record)
                continue
            if not row or (table.has_header and line == 1):
                continue
            if len(row) != len(table.columns):
                note_problem(problems, line, f"{len(row)} fields instead of {len(table.columns)}")
            yield row


class _RecordLines:
    """Physical lines for `csv.reader`, which remembers those of the record that is being read."""

    def __init__(self, stream: IO[str], problems: list[Problem]) -> None:
        self._stream = stream
        self._problems = problems
        self._open = False
        self.number = 0
        self.record: list[str] = []

    def __iter__(self) -> "_RecordLines":
        return self

    def __next__(self) -> str:
        line = self._stream.readline(MAX_LINE_CHARACTERS)
        if not line:
            raise StopIteration
        self.number += not self._open
        self._open = not line.endswith(("\n", "\r"))
        if UNDECODED in line:
            note_problem(self._problems, self.number, "bytes that are no text of this encoding; read as �")
        line = line.replace("\x00", UNDECODED)
        self.record.append(line)
        return line


def note_problem(problems: list[Problem], line: int, reason: str) -> None:
    """Add a malformed line; after a hundred, one entry says that there are more."""
    if len(problems) < _MAX_PROBLEMS:
        problems.append(Problem(line=line, reason=f"line {line}: {reason}"))
    elif len(problems) == _MAX_PROBLEMS:
        problems.append(Problem(line=line, reason=f"line {line} and after: more malformed lines, not listed"))
