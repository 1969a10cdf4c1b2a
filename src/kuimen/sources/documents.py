"""Text of DOCX and PDF documents and of remarks in workbooks, place by place: paragraphs, table rows, pages."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any
from xml.etree import ElementTree as ET

from typing_extensions import override

from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.relations import Problem
from kuimen.sources.stored import READ_ERRORS, StoredFile, members_of

_PARTS = ("word/document", "word/header", "word/footer", "word/footnotes", "word/endnotes", "word/comments")
_REMARKS = ("xl/comments", "xl/threadedComments")
_LEAST_PAGE_TEXT = 8
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")
_HEAD_BYTES = 4096
_RUNS = frozenset({"t", "text"})
_GAPS = frozenset({"tab", "br", "cr"})
_PARAGRAPHS = frozenset({"p", "comment", "threadedComment"})

ReadPage = Callable[[int, Any], None]
"""Takes the number of a page that shows pictures, and the pypdfium2 page."""


def docx_lines(stored: StoredFile) -> Iterator[tuple[int, str]]:
    """Yield (paragraph number, text); cells of one table row come as one text, so that a label stays with its value.

    Raises:
        RelationUnreadableError: the document is broken, encrypted or a decompression bomb.
    """
    yield from _office_lines(stored, _PARTS)


def remark_lines(stored: StoredFile) -> Iterator[tuple[int, str]]:
    """Yield (number, text) of the remarks that stand beside the cells of a workbook; errors as above."""
    yield from _office_lines(stored, _REMARKS)


def _office_lines(stored: StoredFile, parts: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    number = 0
    for member in members_of(stored):
        if not (member.name.startswith(parts) and member.name.endswith(".xml")):
            continue
        if member.reason is not None:
            raise RelationUnreadableError(f"document: {member.reason}")
        with stored.member(member.name).opened() as stream:
            for text in _paragraphs(stream):
                number += 1
                yield number, text


def _paragraphs(stream: IO[bytes]) -> Iterator[str]:
    head = stream.read(_HEAD_BYTES)
    if any(mark in head for mark in _DECLARATIONS):
        raise RelationUnreadableError("document: declares entities, which no office program writes")
    text = _RunningText()
    source = _Chained(head, stream)
    try:
        for event, node in ET.iterparse(source, events=("start", "end")):  # noqa: S314 - no declarations, see above
            yield from text.take(event, node)
    except (ET.ParseError, *READ_ERRORS):
        raise RelationUnreadableError("document: its text breaks off") from None


class _RunningText:
    """Puts the runs of a paragraph together, and the cells of a table row."""

    def __init__(self) -> None:
        self._runs: list[str] = []
        self._cells: list[str] = []
        self._rows = 0

    def take(self, event: str, node: "ET.Element[str]") -> Iterator[str]:
        """Take one start or end of an element; yield what became complete."""
        name = node.tag.rpartition("}")[2]
        if event == "start":
            self._rows += name == "tr"
        elif name in _RUNS:
            self._runs.append(node.text or "")
        elif name in _GAPS:
            self._runs.append("\t")
        elif name in _PARAGRAPHS:
            node.clear()
            text, self._runs = "".join(self._runs), []
            if self._rows:
                self._cells.append(text)
            elif text.strip():
                yield text
        elif name == "tr":
            node.clear()
            self._rows -= 1
            if not self._rows and self._cells:
                text, self._cells = "\t".join(self._cells), []
                yield text


class _Chained(io.RawIOBase):
    """Bytes already read, then the rest of the stream."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head = head
        self._rest = rest

    @override
    def read(self, size: int = -1) -> bytes:
        head, self._head = self._head, b""
        return head or self._rest.read(size)


@contextmanager
def opened_pdf(stored: StoredFile) -> Iterator[Any]:
    """Open a PDF.

    Raises:
        RelationUnreadableError: it is broken or has a password.
    """
    import pypdfium2  # noqa: PLC0415 - only PDF files need it

    with stored.seekable() as stream:
        try:
            document = pypdfium2.PdfDocument(stream)
        except pypdfium2.PdfiumError as error:
            locked = error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD
            reason = "encrypted: the document has a password" if locked else "pdf: broken, it cannot be opened"
            raise RelationUnreadableError(reason) from None
        try:
            yield document
        finally:
            document.close()


def pdf_lines(stored: StoredFile, problems: list[Problem], *, read_page: ReadPage | None) -> Iterator[tuple[int, str]]:
    """Yield (page from 1, line).

    Pages that show pictures also go to `read_page`; without it, pages of pictures alone are problems.

    Raises:
        RelationUnreadableError: the document is broken or has a password.
    """
    import pypdfium2  # noqa: PLC0415

    with opened_pdf(stored) as document:
        for number in range(1, len(document) + 1):
            try:
                page = document[number - 1]
                text = page.get_textpage().get_text_bounded()
                pictured = has_picture(page)
                if text.strip():
                    yield from ((number, line) for line in text.splitlines() if line.strip())
                if pictured and read_page is not None:
                    read_page(number, page)
                elif pictured and len(text.strip()) < _LEAST_PAGE_TEXT:
                    reason = f"page {number}: a picture; to read it, pip install 'kuimen[images]'"
                    problems.append(Problem(line=number, reason=reason))
                page.close()
            except pypdfium2.PdfiumError:
                problems.append(Problem(line=number, reason=f"page {number}: broken"))


def has_picture(page: Any) -> bool:  # noqa: ANN401 - a pypdfium2 page
    """Tell whether a page shows pictures."""
    import pypdfium2  # noqa: PLC0415

    return next(iter(page.get_objects(filter=(pypdfium2.raw.FPDF_PAGEOBJ_IMAGE,), max_depth=4)), None) is not None
