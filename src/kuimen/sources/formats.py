"""What a file is, told from its first bytes and, for the containers of office programs, from what they contain."""

from dataclasses import dataclass
from enum import StrEnum

from kuimen.sources.stored import StoredFile, members_of

_HEAD_BYTES = 16
_OLE_BYTES = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")


class Form(StrEnum):
    """Forms that are read; everything else is text or is named with a reason."""

    TEXT = "text"
    ARCHIVE = "archive"
    WORKBOOK = "workbook"
    DOCX = "docx"
    PDF = "pdf"
    PARQUET = "parquet"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFound:
    """The form of a file, or why it is not read."""

    form: Form = Form.TEXT
    reason: str | None = None


_FORMS = (
    (b"%PDF", Form.PDF),
    (b"PK\x03\x04", Form.ARCHIVE),
    (b"PK\x05\x06", Form.ARCHIVE),
    (b"PAR1", Form.PARQUET),
    (b"\x89PNG", Form.IMAGE),
    (b"\xff\xd8\xff", Form.IMAGE),
    (b"GIF8", Form.IMAGE),
    (b"II*\x00", Form.IMAGE),
    (b"MM\x00*", Form.IMAGE),
)
_NOT_READ = (
    (b"PARE", "parquet file with encrypted footer"),
    (b"SQLite format 3", "sqlite database"),
    (b"BZh91AY&SY", "bzip2 archive"),
    (b"\xfd7zXZ", "xz archive"),
    (b"(\xb5/\xfd", "zstandard archive"),
    (b"7z\xbc\xaf", "7z archive"),
    (b"Rar!", "rar archive"),
    (b"Obj\x01", "avro file"),
)


def form_of(stored: StoredFile) -> FormFound:
    """Tell the form of a file.

    Raises:
        RelationUnreadableError: it cannot be opened, or it is a broken archive.
    """
    with stored.opened() as stream:
        head = stream.read(_HEAD_BYTES)
        if head.startswith(_OLE):
            locked = _ENCRYPTED_PACKAGE in stream.read(_OLE_BYTES)
            return FormFound(
                reason="encrypted: the office document has a password"
                if locked
                else "format not read: old office document; save it as XLSX or DOCX"
            )
    for magic, title in _NOT_READ:
        if head.startswith(magic):
            return FormFound(reason=f"format not read: {title}")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return FormFound(form=Form.IMAGE)
    if head.startswith(b"BM") and b"\x00\x00\x00" in head:
        return FormFound(form=Form.IMAGE)
    form = next((form for magic, form in _FORMS if head.startswith(magic)), Form.TEXT)
    return _inside(stored) if form is Form.ARCHIVE else FormFound(form=form)


def _inside(stored: StoredFile) -> FormFound:
    names = {member.name for member in members_of(stored)}
    if "xl/workbook.xml" in names:
        return FormFound(form=Form.WORKBOOK)
    if "xl/workbook.bin" in names:
        return FormFound(reason="format not read: binary workbook; save it as XLSX")
    if "word/document.xml" in names:
        return FormFound(form=Form.DOCX)
    if any(name.startswith("ppt/slides/") for name in names):
        return FormFound(reason="format not read: presentation; save it as PDF")
    if "mimetype" in names and "content.xml" in names:
        return FormFound(reason="format not read: OpenDocument; save it as XLSX or DOCX")
    return FormFound(form=Form.ARCHIVE)
