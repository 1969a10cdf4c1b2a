"""Bytes of a file or of an archive's member, opened the same way, within bounds no archive talks its way around."""

import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

from typing_extensions import override

from kuimen.sources.errors import RelationUnreadableError

MAX_EXPANDED_BYTES = 4 << 30
MAX_IN_MEMORY_BYTES = 64 << 20
MAX_MEMBERS = 10_000
MAX_DEPTH = 3
_SUSPECT_RATIO = 200
_HARMLESS_BYTES = 64 << 20
_ENCRYPTED_FLAG = 0x1

READ_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What the standard library raises when a compressed stream breaks off."""
_OPEN_ERRORS = (*READ_ERRORS, NotImplementedError, RuntimeError, ValueError, KeyError)
"""The same and what `zipfile` raises at opening: an unknown compression, a missing password, a broken directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file on disk, or what lies inside it.

    Attributes:
        path: the file on disk.
        members: the way through archives inside archives, outermost first; empty for the file itself.
    """

    path: Path
    members: tuple[str, ...] = ()

    def member(self, name: str) -> "StoredFile":
        """Return what lies one archive deeper."""
        return StoredFile(path=self.path, members=(*self.members, name))

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open for reading from the first byte; members come as they expand.

        Raises:
            RelationUnreadableError: it vanished, is forbidden, broken or encrypted.
        """
        with ExitStack() as stack:
            try:
                stream: Any = stack.enter_context(self.path.open("rb"))
                for depth, name in enumerate(self.members):
                    if depth:
                        stream = io.BytesIO(_bounded(stream))
                    archive = stack.enter_context(zipfile.ZipFile(stream))
                    stream = stack.enter_context(archive.open(name))
            except _OPEN_ERRORS:
                raise RelationUnreadableError("file: cannot be opened; it vanished, is forbidden or broken") from None
            yield stream

    def seekable(self) -> IO[bytes]:
        """Return the whole file for a reader that jumps about: the file itself, a member as a copy in memory.

        Raises:
            RelationUnreadableError: as above, or a member expands beyond 64 MiB.
        """
        if not self.members:
            try:
                return self.path.open("rb")
            except OSError:
                raise RelationUnreadableError("file: cannot be opened; it vanished or is forbidden") from None
        try:
            with self.opened() as stream:
                return io.BytesIO(_bounded(stream))
        except READ_ERRORS:
            raise RelationUnreadableError("archive: a member breaks off") from None


def _bounded(stream: IO[bytes]) -> bytes:
    data = stream.read(MAX_IN_MEMORY_BYTES + 1)
    if len(data) > MAX_IN_MEMORY_BYTES:
        raise RelationUnreadableError("archive: a member of this kind is read up to 64 MiB; unpack it first")
    return data


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One entry of an archive's directory; `reason` says why it is not opened."""

    name: str
    size: int
    reason: str | None = None


def members_of(archive: StoredFile) -> list[Member]:
    """List an archive without expanding anything.

    Raises:
        RelationUnreadableError: it is broken, has too many entries, or its entries share bytes as bombs do.
    """
    with archive.seekable() as stream:
        length = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        try:
            with zipfile.ZipFile(stream) as directory:
                entries = [entry for entry in directory.infolist() if not entry.is_dir()]
        except _OPEN_ERRORS:
            raise RelationUnreadableError("archive: broken, its directory cannot be read") from None
    if len(entries) > MAX_MEMBERS:
        raise RelationUnreadableError(f"archive: more than {MAX_MEMBERS} entries; unpack it first")
    if sum(entry.compress_size for entry in entries) > length:
        raise RelationUnreadableError("archive: entries share bytes, the mark of a decompression bomb")
    if sum(entry.file_size for entry in entries) > MAX_EXPANDED_BYTES:
        raise RelationUnreadableError("archive: expands beyond 4 GiB; unpack it first")
    return [Member(name=entry.filename, size=entry.file_size, reason=_refusal(entry)) for entry in entries]


def _refusal(entry: zipfile.ZipInfo) -> str | None:
    if entry.flag_bits & _ENCRYPTED_FLAG:
        return "encrypted: the archive has a password; unpack it first"
    if entry.file_size > _HARMLESS_BYTES and entry.file_size > _SUSPECT_RATIO * max(1, entry.compress_size):
        return f"expands {entry.file_size // max(1, entry.compress_size)}-fold, the mark of a decompression bomb"
    return None


class GuardedExpansion(io.RawIOBase):
    """Counts what a compressed stream expands to and stops it where no honest text goes."""

    def __init__(self, expanded: io.BufferedIOBase, *, compressed_size: int) -> None:
        """Wrap an expanding stream over `compressed_size` bytes; 0 when that is unknown."""
        self._expanded = expanded
        self._limit = MAX_EXPANDED_BYTES
        if compressed_size:
            self._limit = min(MAX_EXPANDED_BYTES, max(_HARMLESS_BYTES, _SUSPECT_RATIO * compressed_size))
        self._seen = 0

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int:
        data = self._expanded.read1(len(buffer))
        self._seen += len(data)
        if self._seen > self._limit:
            raise RelationUnreadableError(
                f"file: expands beyond {self._limit >> 20} MiB, the mark of a decompression bomb; "
                "what comes before that is in the result"
            )
        buffer[: len(data)] = data
        return len(data)

    @override
    def __enter__(self) -> Self:
        return self
