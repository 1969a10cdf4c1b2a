"""Prove that originals are gone: long ones searched byte by byte wherever files can be read, short ones by re-scan.

The needles come out of the vault through the disclosure door, live in memory only, and are never written or shown.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kuimen.governance.protection.originals import Original
from kuimen.governance.protection.places import ServerPlaces
from kuimen.governance.protection.rules import is_raw_needle
from kuimen.kernels.detection.needles import NeedleSet

TABLE_FILES, WRITE_AHEAD_LOG = "table files", "write-ahead log"
TEXT_TYPES = ("character", "text", "json", "citext")
BLOCK = 4 << 20
NEEDLE_BYTES = 64
OVERLAP = NEEDLE_BYTES * 2 + 16  # the longest encoding doubles a needle


@dataclass(slots=True, kw_only=True)
class ProofPlace:
    """One place that was searched.

    Attributes:
        foreign: another database of the same server, which this job was not asked to protect; hits there are told
            apart from what is left of this source.
    """

    name: str
    foreign: bool = False
    files: int = 0
    bytes: int = 0
    hits: int = 0
    hit_files: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofReport:
    """What was looked for, where, and what was found.

    Attributes:
        needles_raw: distinct originals searched byte by byte, in plain, hex, base64 and UTF-16.
        needles_rescan: distinct originals proven by re-scanning columns.
        residual_clear_values: hits of both kinds; 0 is the goal.
        columns_rescanned: columns looked at again; clear_columns names those still in clear.
        not_covered: what could not be read; never counted as 0.
    """

    needles_raw: int
    needles_rescan: int
    residual_clear_values: int
    places: tuple[ProofPlace, ...]
    columns_rescanned: int
    clear_columns: tuple[str, ...]
    not_covered: tuple[str, ...]


def split_needles(originals: Iterable[Original]) -> tuple[set[bytes], set[Original]]:
    """Return the byte needles, and the originals that only a re-scan can prove."""
    raw: set[bytes] = set()
    rescan: set[Original] = set()
    for original in originals:
        if is_raw_needle(original.text, element=original.element, stored_as_text=original.stored_as_text):
            raw.add(_needle(original.text))
        else:
            rescan.add(original)
    return raw, rescan


def _needle(text: str) -> bytes:
    """Return the first bytes of a text, cut between characters, so that every encoding of it can be built."""
    return text.encode()[:NEEDLE_BYTES].decode(errors="ignore").encode()


def search_places(
    needles: set[bytes],
    places: Sequence[tuple[str, Sequence[Path]]],
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> tuple[list[ProofPlace], list[str]]:
    """Search files of named places; return what was found, and files that could not be read."""
    needle_set = NeedleSet.build(needles)
    searched, unread = [], []
    total = sum(len(files) for _, files in places)
    done = 0
    for name, files in places:
        place = ProofPlace(name=name)
        for path in files:
            if progress is not None and not done % 50:
                progress(done, total, name)
            done += 1
            try:
                hits, size = sum(1 for _ in hits_in(needle_set, path)), path.stat().st_size
            except FileNotFoundError:
                continue  # the server removed it meanwhile
            except OSError:
                unread.append(f"{name}: {path.name} is not readable")
                continue
            place.files += 1
            place.bytes += size
            place.hits += hits
            if hits:
                place.hit_files.append(path.name)
        searched.append(place)
    if progress is not None:
        progress(total, total, "")
    return searched, unread


def hits_in(needle_set: NeedleSet, path: Path) -> Iterator[tuple[int, int]]:
    """Yield the byte ranges of a file that hold a needle in any encoding; each once.

    Raises:
        OSError: the file cannot be read.
    """
    position, tail = 0, b""
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            window = tail + block
            for hit in needle_set.search(window):
                if hit.end > len(tail):  # what lies wholly in the overlap was told with the block before
                    yield position - len(tail) + hit.offset, position - len(tail) + hit.end
            position += len(block)
            tail = window[-OVERLAP:]


def server_files(places: ServerPlaces) -> list[tuple[str, list[Path]]]:
    """Return the server's files by place: this database and the cluster, each other database, WAL, log."""
    found: dict[str, list[Path]] = {TABLE_FILES: [], WRITE_AHEAD_LOG: []}
    data = places.data_directory
    if data is not None:
        others = {str(oid): name for oid, name in places.other_databases}
        for path in _walk(data):
            top, *below = path.relative_to(data).parts
            place = WRITE_AHEAD_LOG if top == "pg_wal" else TABLE_FILES
            if top == "base" and below and below[0] in others:
                place = other_database(others[below[0]])
            found.setdefault(place, []).append(path)
    if places.log_directory is not None and (data is None or not places.log_directory.is_relative_to(data)):
        found["server log"] = list(_walk(places.log_directory))
    return [(name, files) for name, files in found.items() if files]


def other_database(name: str) -> str:
    """Return the name of the place where another database of the server keeps its tables."""
    return f"database {name}"


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path
