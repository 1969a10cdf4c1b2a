"""Redact text files: read to a stream, or rewritten in their place so that readers see the old or the new, never half.

Clause: CQJR-6.5-b
"""

import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kuimen.kernels.detection.streaming import LineFinding, StreamRedactor
from kuimen.sources.errors import FileChangedError, UnredactableFileError
from kuimen.sources.textfiles import TextShape, open_bytes, shape_of

CHUNK = 1 << 18
_WIDE = "utf-16"
Redacting = Callable[[str, Callable[[LineFinding], None] | None], StreamRedactor]
"""Makes the redactor for an encoding; hands it who wants to hear of findings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedFile:
    """What was found in one file; names of elements and numbers of lines, never a value.

    Attributes:
        lines: lines read.
        counts: findings by element.
        first: the first findings, at most as many as were asked for.
    """

    lines: int
    counts: dict[str, int]
    first: tuple[LineFinding, ...] = field(default=())


def text_shape(path: Path) -> TextShape:
    """Return how a file is stored.

    Raises:
        UnredactableFileError: it is no text, or text whose lines cannot be told apart by bytes.
        RelationUnreadableError: it cannot be read.
    """
    shape = shape_of(path)
    if shape is None:
        raise UnredactableFileError("file: not text; take tables and archives apart first")
    if is_wide(shape):
        raise UnredactableFileError("file: is UTF-16; convert it to UTF-8 first")
    return shape


def is_wide(shape: TextShape) -> bool:
    """Tell text whose lines cannot be told apart by bytes."""
    return shape.encoding.startswith(_WIDE)


def redacted_chunks(path: Path, redactor: StreamRedactor, shape: TextShape) -> Iterator[bytes]:
    """Yield a file's bytes, expanded where it is a gzip file, with every finding replaced.

    Raises:
        RelationUnreadableError: it breaks off, or expands beyond all measure.
    """
    with open_bytes(path, shape) as stream:
        while chunk := stream.read(CHUNK):
            yield redactor.feed(chunk)
        yield redactor.close()


def find_in_file(path: Path, redacting: Redacting, *, most: int = 1000) -> RedactedFile:
    """Read a file and say where it holds personal data."""
    shape = text_shape(path)
    first: list[LineFinding] = []
    redactor = redacting(plain_encoding(shape), lambda one: first.append(one) if len(first) < most else None)
    for _ in redacted_chunks(path, redactor, shape):
        pass
    return RedactedFile(lines=redactor.lines, counts=dict(redactor.counts), first=tuple(first))


def rewrite_redacted(path: Path, redacting: Redacting) -> RedactedFile:
    """Replace a file by its redacted form: written beside it, synced, renamed over it; owner and mode stay.

    Raises:
        FileChangedError: something was written to it meanwhile; it stays as it is. Rotate a log before rewriting it.
        UnredactableFileError: it is no text, or a link.
        RelationUnreadableError: it cannot be read; it stays as it is.
    """
    if path.is_symlink():
        raise UnredactableFileError("file: is a link; name the file itself")
    shape = text_shape(path)
    before = path.stat()
    redactor = redacting(plain_encoding(shape), None)
    with _beside(path) as (handle, new):
        with os.fdopen(handle, "wb") as raw:
            out: Any = gzip.GzipFile(filename="", mode="wb", fileobj=raw) if shape.compressed else raw
            for chunk in redacted_chunks(path, redactor, shape):
                out.write(chunk)
            if shape.compressed:
                out.close()
            raw.flush()
            os.fsync(raw.fileno())
            os.fchmod(raw.fileno(), before.st_mode & 0o7777)
            if os.geteuid() == 0:
                os.fchown(raw.fileno(), before.st_uid, before.st_gid)
        after = path.stat()
        if (after.st_size, after.st_mtime_ns, after.st_ino) != (before.st_size, before.st_mtime_ns, before.st_ino):
            raise FileChangedError("file: was written to while it was read; rotate it first")
        new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return RedactedFile(lines=redactor.lines, counts=dict(redactor.counts))


def plain_encoding(shape: TextShape) -> str:
    """Return the encoding without its mark: the mark stays in the text as a letter without width."""
    return "utf-8" if shape.encoding == "utf-8-sig" else shape.encoding


@contextmanager
def _beside(path: Path) -> Iterator[tuple[int, Path]]:
    """Open a file of the owner's alone in the folder of another; it is gone at the end unless it was renamed."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".kuimen-new", dir=path.parent)
    new = Path(name)
    try:
        yield handle, new
    finally:
        new.unlink(missing_ok=True)
