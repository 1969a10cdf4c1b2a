"""The independent place of checkpoints: append-only files that no database role can reach.

One file a month, one line a checkpoint, each line on disk before the call returns. A line that a crash cut is completed
by writing the checkpoint again after it; readers skip a cut line only where a whole one of the same size follows.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from kuimen.foundation import clock
from kuimen.gate.audit.errors import LogTamperedError, SinkUnavailableError
from kuimen.gate.audit.notes import SignedNote, from_line, to_line

_TAIL = 64 * 1024


class CheckpointSink:
    """A folder of checkpoint files."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, which must exist and should be writable by Kuimen's user alone."""
        self.folder = folder

    def append(self, notes: list[SignedNote]) -> None:
        """Add checkpoints durably, skipping those that stand there already.

        Raises:
            SinkUnavailableError: the folder cannot be written.
        """
        if not notes:
            return
        path = self.folder / f"{clock.today():%Y-%m}.jsonl"
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                last = self.last()
                fresh = [note for note in notes if last is None or note.size > last.size]
                start = b"" if _ends_whole(descriptor) else b"\n"
                file.write(start + b"".join(map(to_line, fresh)))
                file.flush()
                os.fsync(descriptor)
            _sync_folder(self.folder)
        except OSError:
            raise SinkUnavailableError(
                f"checkpoints cannot be written to {self.folder}; free it or repair its mode"
            ) from None

    def last(self) -> SignedNote | None:
        """Return the newest checkpoint, or None where there is none yet.

        Raises:
            SinkUnavailableError: the folder cannot be read.
        """
        try:
            for path in sorted(self.folder.glob("*.jsonl"), reverse=True):
                with path.open("rb") as file:
                    file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                    lines = file.read().splitlines()
                for line in reversed(lines):
                    try:
                        return from_line(line)
                    except ValueError:
                        continue  # cut by a crash, or the first of a tail
        except OSError:
            raise SinkUnavailableError(f"checkpoints cannot be read from {self.folder}") from None
        return None

    def notes(self) -> Iterator[SignedNote]:
        """Give every checkpoint in the order in which it was written.

        Raises:
            LogTamperedError: a line is neither whole nor followed by its whole twin.
        """
        for path in sorted(self.folder.glob("*.jsonl")):
            cut = False
            for line in path.read_bytes().splitlines():
                try:
                    note = from_line(line)
                except ValueError:
                    cut = True
                    continue
                cut = False
                yield note
            if cut:
                raise LogTamperedError(f"the last line of {path.name} is no checkpoint")


def _ends_whole(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size == 0 or os.pread(descriptor, 1, size - 1) == b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
