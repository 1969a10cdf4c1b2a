"""A folder or a single file as a source; archives are read like folders."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from typing_extensions import override

from kuimen.kernels.detection.rules import RuleSet
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.documents import ReadPage, docx_lines, pdf_lines, remark_lines
from kuimen.sources.errors import RelationGoneError, RelationUnreadableError
from kuimen.sources.formats import Form, form_of
from kuimen.sources.images import ImagesExtraError, PictureReader
from kuimen.sources.logscan import TextFindings, find_in_lines, find_in_text, merged
from kuimen.sources.relations import ColumnInfo, Problem, RelationInfo, RelationKind, Sample, Source, TextHit
from kuimen.sources.sampling import sample_csv, sample_jsonl
from kuimen.sources.stored import MAX_DEPTH, StoredFile, members_of
from kuimen.sources.tablefiles import parquet_shape, sample_parquet, sample_sheet, sheets_of
from kuimen.sources.textfiles import TextShape, csv_shape, shape_of

_TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
_JSONL_SUFFIXES = frozenset({".jsonl", ".ndjson"})
_BYTES_PER_ROW_GUESS = 120
_REMARKS = "remarks"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where the content of a relation lies."""

    stored: StoredFile
    shape: TextShape | None = None
    part: str = ""


class FolderSource(Source):
    """Reads the files below a folder in name order; links are named, not followed."""

    def __init__(self, path: Path) -> None:
        """Point at a folder or one file; nothing is opened yet."""
        self._root = path.resolve()
        self._places: dict[str, _Place] = {}
        self._pictures: PictureReader | None = None

    @property
    @override
    def label(self) -> str:
        return str(self._root)

    @property
    @override
    def fingerprint(self) -> str:
        return f"file:{self._root}"

    @override
    def describe(self) -> list[RelationInfo]:
        self._places.clear()
        if self._root.is_file():
            return list(self._describe(StoredFile(path=self._root), self._root.name))
        return list(self._walk(self._root))

    def _walk(self, folder: Path) -> Iterator[RelationInfo]:
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            yield _unread(self._name(folder) + "/", "permission: the folder cannot be listed")
            return
        for entry in entries:
            if entry.is_symlink():
                yield _unread(self._name(entry), "a link; scan its target", missed=False)
            elif entry.is_dir():
                yield from self._walk(entry)
            elif entry.is_file():
                yield from self._describe(StoredFile(path=entry), self._name(entry))
            else:
                yield _unread(self._name(entry), "neither file nor folder", missed=False)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    def _describe(self, stored: StoredFile, name: str, *, size: int = -1) -> Iterator[RelationInfo]:
        """Yield what one file holds: itself, the sheets of a workbook, the members of an archive."""
        try:
            if not stored.members:
                size = stored.path.stat().st_size
            if not size:
                yield _unread(name, "empty file", missed=False)
                return
            form = form_of(stored)
            if form.reason is not None:
                yield _unread(name, form.reason, size)
            elif form.form is Form.ARCHIVE:
                yield from self._archive(stored, name)
            elif form.form is Form.WORKBOOK:
                yield from self._workbook(stored, name, size)
            else:
                yield self._file(stored, name, form.form, size)
        except OSError:
            yield _unread(name, "permission: the file cannot be opened")
        except RelationUnreadableError as error:
            yield _unread(name, str(error), max(size, 0))

    def _archive(self, stored: StoredFile, name: str) -> Iterator[RelationInfo]:
        if len(stored.members) >= MAX_DEPTH:
            yield _unread(name, f"archives inside archives deeper than {MAX_DEPTH}; unpack them first")
            return
        for member in members_of(stored):
            inner = f"{name}!/{member.name}"
            if member.reason is not None:
                yield _unread(inner, member.reason, member.size)
            else:
                yield from self._describe(stored.member(member.name), inner, size=member.size)

    def _workbook(self, stored: StoredFile, name: str, size: int) -> Iterator[RelationInfo]:
        for sheet in sheets_of(stored):
            yield self._keep(f"{name}#{sheet}", _Place(stored=stored, part=sheet), RelationKind.SHEET, size)
        if any(member.name.startswith("xl/comments") for member in members_of(stored)):
            place = _Place(stored=stored, part=_REMARKS)
            yield self._keep(f"{name}#批注 {_REMARKS}", place, RelationKind.DOCUMENT, size)

    def _file(self, stored: StoredFile, name: str, form: Form, size: int) -> RelationInfo:
        if form is Form.PARQUET:
            columns, rows = parquet_shape(stored)
            return self._keep(name, _Place(stored=stored), RelationKind.PARQUET, size, columns, rows)
        kinds = {Form.IMAGE: RelationKind.IMAGE, Form.PDF: RelationKind.PDF, Form.DOCX: RelationKind.DOCUMENT}
        if form in kinds:
            return self._keep(name, _Place(stored=stored), kinds[form], size)
        shape = shape_of(stored.path, members=stored.members)
        if shape is None:
            return _unread(name, "binary or of an unknown encoding", size)
        kind = _kind(Path(name))
        columns = ()
        if kind is RelationKind.CSV:
            table = csv_shape(stored.path, shape)
            columns = tuple(ColumnInfo(name=column, type="text") for column in table.columns)
        return self._keep(name, _Place(stored=stored, shape=shape), kind, size, columns)

    def _keep(
        self,
        name: str,
        place: _Place,
        kind: RelationKind,
        size: int,
        columns: tuple[ColumnInfo, ...] = (),
        rows: int | None = None,
    ) -> RelationInfo:
        self._places[name] = place
        return RelationInfo(
            schema=None,
            name=name,
            kind=kind,
            columns=columns,
            approx_rows=size // _BYTES_PER_ROW_GUESS if rows is None else rows,
            size_bytes=size,
            rewritable=place.shape is not None and not place.stored.members,
        )

    def _place(self, relation: RelationInfo) -> _Place:
        try:
            return self._places[relation.name]
        except KeyError:
            raise RelationGoneError("gone: the file was not among those described") from None

    @override
    def sample(self, relation: RelationInfo, n: int) -> Sample:
        place = self._place(relation)
        if relation.kind is RelationKind.PARQUET:
            return sample_parquet(place.stored, n)
        if relation.kind is RelationKind.SHEET:
            return sample_sheet(place.stored, place.part, n)
        if place.shape is not None and relation.kind is RelationKind.CSV:
            return sample_csv(place.stored.path, place.shape, n)
        if place.shape is not None and relation.kind is RelationKind.JSONL:
            return sample_jsonl(place.stored.path, place.shape, n)
        raise RelationUnreadableError("text: read line by line, not sampled")

    def find(self, relation: RelationInfo, *, tables: RecognitionTables, rules: RuleSet | None = None) -> TextFindings:
        """Count the elements in a text, a document or a picture; pictures are read with our rules alone.

        Raises:
            RelationGoneError, RelationUnreadableError: it cannot be opened.
            ImagesExtraError: it is a picture and the extra that reads pictures is not installed.
        """
        place = self._place(relation)
        if relation.kind is RelationKind.IMAGE:
            return self._reader().find(place.stored, tables=tables)
        if relation.kind is RelationKind.PDF:
            return self._find_in_pdf(place.stored, tables, rules)
        if relation.kind is RelationKind.DOCUMENT:
            read = remark_lines if place.part == _REMARKS else docx_lines
            return find_in_lines(read(place.stored), tables=tables, rules=rules)
        assert place.shape is not None
        return find_in_text(place.stored.path, place.shape, tables=tables, rules=rules)

    def _find_in_pdf(self, stored: StoredFile, tables: RecognitionTables, rules: RuleSet | None) -> TextFindings:
        problems: list[Problem] = []
        pictured: list[TextHit] = []
        read_page: ReadPage | None = None
        with suppress(ImagesExtraError):  # without the extra, pages that are pictures are named as not read
            reader = self._reader()

            def read_page(number: int, page: Any) -> None:  # noqa: ANN401 - a pypdfium2 page
                hits = reader.find_page(page, tables=tables)
                pictured.extend(replace(hit, first_lines=(number,)) for hit in hits)

        found = find_in_lines(pdf_lines(stored, problems, read_page=read_page), tables=tables, rules=rules)
        return TextFindings(
            lines=found.lines, hits=merged((*found.hits, *pictured)), problems=(*found.problems, *problems)
        )

    def _reader(self) -> PictureReader:
        if self._pictures is None:
            self._pictures = PictureReader.start()
        return self._pictures

    @override
    def close(self) -> None:
        self._places.clear()
        if self._pictures is not None:
            self._pictures.close()
            self._pictures = None

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


def _unread(name: str, reason: str, size: int = 0, *, missed: bool = True) -> RelationInfo:
    return RelationInfo(
        schema=None,
        name=name,
        kind=RelationKind.UNREAD,
        reason=reason,
        size_bytes=size,
        missed=missed,
        rewritable=False,
    )
