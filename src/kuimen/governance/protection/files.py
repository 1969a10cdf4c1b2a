"""Rewrite files that hold personal data: text is redacted, columns are masked; the original is overwritten and removed.

The new file is written beside the old one, synced and renamed over it, so that readers see one or the other. A crash
leaves at most hidden leftovers, which the next run clears away first.

Clause: CQJR-6.5-b
"""

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from kuimen.foundation.sensitive import FIXED_MASK
from kuimen.governance.protection.plan import FilePlan
from kuimen.governance.protection.rules import Action
from kuimen.kernels.detection.rules import RuleSet
from kuimen.kernels.detection.streaming import StreamRedactor
from kuimen.kernels.elements import Element
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.prose import is_protected
from kuimen.sources.redacting import is_wide, plain_encoding, redacted_chunks
from kuimen.sources.relations import Problem
from kuimen.sources.textfiles import TextShape, csv_rows, csv_shape, read_lines, shape_of

NEW_SUFFIX, OLD_SUFFIX = ".kuimen-new", ".kuimen-old"
_OVERWRITE = 1 << 20


@dataclass(slots=True, kw_only=True)
class FileCounts:
    """What was removed from one file.

    Attributes:
        destroyed: values per element or column.
        removed: the values themselves, as needles of the proof in this process; never written anywhere.
    """

    destroyed: dict[str, int] = field(default_factory=dict)
    removed: list[tuple[str, str]] = field(default_factory=list)

    def note(self, name: str, element: str, value: str) -> None:
        """Count one removed value."""
        self.destroyed[name] = self.destroyed.get(name, 0) + 1
        self.removed.append((element, value))

    @property
    def total(self) -> int:
        """Return how many values were removed."""
        return sum(self.destroyed.values())


def rewrite_file(path: Path, plan: FilePlan, *, tables: RecognitionTables, rules: RuleSet | None = None) -> FileCounts:
    """Rewrite one file without its personal data.

    Raises:
        RelationUnreadableError: it is gone, unreadable or not text any more; it stays as it is.
    """
    counts = FileCounts()
    shape = shape_of(path)
    if shape is None:
        return counts
    writers: dict[str, Callable[[IO[str]], None]] = {
        "csv file": lambda out: _write_csv(path, shape, plan, out, counts),
        "jsonl file": lambda out: _write_jsonl(path, shape, plan, out, counts),
    }
    redactor = _redactor(shape, counts, tables, rules)
    _replace(path, shape, writers.get(plan.kind, lambda out: _write_text(path, shape, out, redactor)))
    return counts


def _redactor(shape: TextShape, counts: FileCounts, tables: RecognitionTables, rules: RuleSet | None) -> StreamRedactor:
    """Return what puts a fixed mask in place of every value to be protected, and keeps the value as a needle."""

    def masked(element: Element, value: str) -> str:
        counts.note(str(element), str(element), value)
        return FIXED_MASK

    encoding = "utf-8" if is_wide(shape) else plain_encoding(shape)
    return StreamRedactor(encoding=encoding, tables=tables, rules=rules, chosen=is_protected, replace=masked)


def _write_text(path: Path, shape: TextShape, out: IO[str], redactor: StreamRedactor) -> None:
    """Write the redacted text; only what decodes to nothing in UTF-16 is lost, other bytes pass as they are."""
    if is_wide(shape):
        for _, line in read_lines(path, shape):
            out.write(redactor.feed(line.encode()).decode())
        out.write(redactor.close().decode())
        return
    raw = cast("io.TextIOWrapper", out).buffer
    for chunk in redacted_chunks(path, redactor, shape):
        raw.write(chunk)


def _write_csv(path: Path, shape: TextShape, plan: FilePlan, out: IO[str], counts: FileCounts) -> None:
    table = csv_shape(path, shape)
    elements = {one.name: str(one.element) for one in plan.columns if one.action is Action.DESTROY}
    writer = csv.writer(out, delimiter=table.delimiter, lineterminator="\n")
    if table.has_header:
        writer.writerow(table.columns)
    problems: list[Problem] = []
    for row in csv_rows(path, shape, table, problems):
        shown = []
        for position, cell in enumerate(row):
            known = position < len(table.columns) and len(row) == len(table.columns)
            name = table.columns[position] if known else "(surplus)"
            element = elements.get(name, "free_text" if not known else None)
            if element is None or not cell.strip():
                shown.append(cell)
                continue
            counts.note(name, element, cell)
            shown.append(FIXED_MASK)
        writer.writerow(shown)


def _write_jsonl(path: Path, shape: TextShape, plan: FilePlan, out: IO[str], counts: FileCounts) -> None:
    elements = {one.name: str(one.element) for one in plan.columns if one.action is Action.DESTROY}
    for _, line in read_lines(path, shape):
        if not line.strip():
            out.write(line)
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            counts.note("(malformed)", "free_text", line.strip())
            out.write(json.dumps(FIXED_MASK) + "\n")
            continue
        out.write(json.dumps(_masked(document, "", elements, counts), ensure_ascii=False) + "\n")


def _masked(document: Any, prefix: str, elements: dict[str, str], counts: FileCounts) -> Any:  # noqa: ANN401 - JSON
    if isinstance(document, dict):
        return {
            key: _masked(value, f"{prefix}.{key}" if prefix else str(key), elements, counts)
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [_masked(value, prefix, elements, counts) for value in document]
    name = prefix or "value"
    if document is None or name not in elements:
        return document
    counts.note(name, elements[name], document if isinstance(document, str) else json.dumps(document))
    return FIXED_MASK


def clear_leftovers(path: Path) -> int:
    """Remove what a killed run left beside a file; return how many files that were."""
    removed = 0
    for suffix in (NEW_SUFFIX, OLD_SUFFIX):
        leftover = path.with_name(f".{path.name}{suffix}")
        if leftover.exists():
            overwrite_and_remove(leftover)
            removed += 1
    return removed


def overwrite_and_remove(path: Path) -> None:
    """Overwrite a file with zeros, sync and unlink it. On copy-on-write or flash media old blocks may survive."""
    size = path.stat().st_size
    with path.open("r+b", buffering=0) as stream:
        for start in range(0, size, _OVERWRITE):
            stream.write(bytes(min(_OVERWRITE, size - start)))
        os.fsync(stream.fileno())
        stream.truncate(0)
    path.unlink()


def _replace(path: Path, shape: TextShape, write: Callable[[IO[str]], None]) -> None:
    clear_leftovers(path)
    new, old = (path.with_name(f".{path.name}{suffix}") for suffix in (NEW_SUFFIX, OLD_SUFFIX))
    status = path.stat()
    with _create(new, shape, mode=status.st_mode & 0o777) as out:
        write(out)
    if os.geteuid() == 0:
        os.chown(new, status.st_uid, status.st_gid)
    os.link(path, old)
    new.replace(path)
    _sync_folder(path.parent)
    overwrite_and_remove(old)
    _sync_folder(path.parent)


@contextmanager
def _create(path: Path, shape: TextShape, *, mode: int) -> Iterator[IO[str]]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as raw:
        stream: Any = gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) if shape.compressed else raw
        out = io.TextIOWrapper(stream, encoding=shape.encoding, errors="replace", newline="")
        yield out
        out.detach()  # flushes; the raw file must outlive its wrappers to be synced
        if shape.compressed:
            stream.close()
        raw.flush()
        os.fsync(raw.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
