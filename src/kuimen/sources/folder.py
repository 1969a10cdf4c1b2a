"""A folder or a single file as a source."""

from pathlib import Path
from types import TracebackType
from typing import Self

from typing_extensions import override

from kuimen.sources.errors import RelationGoneError, RelationUnreadableError
from kuimen.sources.relations import ColumnInfo, RelationInfo, RelationKind, Sample, Source
from kuimen.sources.textfiles import TextShape, csv_shape, sample_csv, sample_jsonl, shape_of

_MAGIC = (
    (b"%PDF", "pdf"),
    (b"PK\x03\x04", "zip or office document"),
    (b"PAR1", "parquet"),
    (b"\x89PNG", "png image"),
    (b"\xff\xd8\xff", "jpeg image"),
    (b"SQLite format 3", "sqlite database"),
    (b"BZh", "bzip2 archive"),
    (b"\xfd7zXZ", "xz archive"),
    (b"(\xb5/\xfd", "zstandard archive"),
    (b"7z\xbc\xaf", "7z archive"),
    (b"\xd0\xcf\x11\xe0", "old office document"),
)
_TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
_JSONL_SUFFIXES = frozenset({".jsonl", ".ndjson"})
_BYTES_PER_ROW_GUESS = 120


class FolderSource(Source):
    """Reads the files below a folder in name order; links are named, not followed."""

    def __init__(self, path: Path) -> None:
        """Point at a folder or one file; nothing is opened yet."""
        self._root = path.resolve()
        self._shapes: dict[str, TextShape] = {}

    @property
    @override
    def label(self) -> str:
        return str(self._root)

    @property
    @override
    def fingerprint(self) -> str:
        return f"file:{self._root}"

    def path_of(self, relation: RelationInfo) -> Path:
        """Return where the file of a relation lies."""
        return self._root if self._root.is_file() else self._root / relation.name

    def shape(self, relation: RelationInfo) -> TextShape:
        """Return encoding and compression of a described text file.

        Raises:
            RelationGoneError: the file was not among those described as text.
        """
        try:
            return self._shapes[relation.name]
        except KeyError:
            raise RelationGoneError("gone: the file was not described as text") from None

    @override
    def describe(self) -> list[RelationInfo]:
        if self._root.is_file():
            return [self._describe(self._root, self._root.name)]
        found: list[RelationInfo] = []
        self._walk(self._root, found)
        return found

    def _walk(self, folder: Path, found: list[RelationInfo]) -> None:
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            found.append(_unread(self._name(folder) + "/", "permission: the folder cannot be listed"))
            return
        for entry in entries:
            if entry.is_symlink():
                found.append(_unread(self._name(entry), "a link; scan its target"))
            elif entry.is_dir():
                self._walk(entry, found)
            elif entry.is_file():
                found.append(self._describe(entry, self._name(entry)))
            else:
                found.append(_unread(self._name(entry), "neither file nor folder"))

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _describe(self, path: Path, name: str) -> RelationInfo:
        try:
            with path.open("rb") as stream:
                head = stream.read(16)
            size = path.stat().st_size
            if not size:
                return _unread(name, "empty file")
            for magic, title in _MAGIC:
                if head.startswith(magic):
                    return _unread(name, f"format not read: {title}", size)
            shape = shape_of(path)
            if shape is None:
                return _unread(name, "binary or of an unknown encoding", size)
            self._shapes[name] = shape
            kind = _kind(path)
            columns: tuple[ColumnInfo, ...] = ()
            if kind is RelationKind.CSV:
                columns = tuple(ColumnInfo(name=column, type="text") for column in csv_shape(path, shape).columns)
        except OSError:
            return _unread(name, "permission: the file cannot be opened")
        except RelationUnreadableError as error:
            return _unread(name, str(error))
        return RelationInfo(
            schema=None,
            name=name,
            kind=kind,
            columns=columns,
            approx_rows=size // _BYTES_PER_ROW_GUESS,
            size_bytes=size,
        )

    @override
    def sample(self, relation: RelationInfo, n: int) -> Sample:
        path, shape = self.path_of(relation), self.shape(relation)
        if relation.kind is RelationKind.CSV:
            return sample_csv(path, shape, n)
        if relation.kind is RelationKind.JSONL:
            return sample_jsonl(path, shape, n)
        raise RelationUnreadableError("log: text files are read line by line, not sampled")

    @override
    def close(self) -> None:
        self._shapes.clear()

    @override
    def __enter__(self) -> Self:
        return self

    @override
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _kind(path: Path) -> RelationKind:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    suffix = suffixes[-1] if suffixes else ""
    if suffix in _TABLE_SUFFIXES:
        return RelationKind.CSV
    if suffix in _JSONL_SUFFIXES:
        return RelationKind.JSONL
    return RelationKind.LOG


def _unread(name: str, reason: str, size: int = 0) -> RelationInfo:
    return RelationInfo(schema=None, name=name, kind=RelationKind.UNREAD, reason=reason, size_bytes=size)
