"""Prove that originals are gone: long ones searched byte by byte wherever files can be read, short ones by re-scan.

The needles come out of the vault through the disclosure door, live in memory only, and are never written or shown.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kuimen.governance.protection.places import ServerPlaces
from kuimen.governance.protection.rules import is_raw_needle
from kuimen.kernels.detection.needles import NeedleSet

TEXT_TYPES = ("character", "text", "json", "citext")
BLOCK = 4 << 20
NEEDLE_BYTES = 64
OVERLAP = NEEDLE_BYTES * 2 + 16  # the longest encoding doubles a needle


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """One value that must not be found any more."""

    element: str
    text: str
    stored_as_text: bool = True


@dataclass(slots=True, kw_only=True)
class ProofPlace:
    """One place that was searched."""

    name: str
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
    """Return the server's files by place: table files of this database and the cluster, write-ahead log, log."""
    found: list[tuple[str, list[Path]]] = []
    data = places.data_directory
    if data is not None:
        others = {str(oid) for oid, _ in places.other_databases}
        tables: list[Path] = []
        wal: list[Path] = []
        for path in _walk(data):
            parts = path.relative_to(data).parts
            if parts[0] == "base" and len(parts) > 1 and parts[1] in others:
                continue
            (wal if parts[0] == "pg_wal" else tables).append(path)
        found += [("table files", tables), ("write-ahead log", wal)]
    if places.log_directory is not None and (data is None or not places.log_directory.is_relative_to(data)):
        found.append(("server log", list(_walk(places.log_directory))))
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path
