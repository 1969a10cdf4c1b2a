"""Picture files and PDF: told from others by their first bytes, redacted as a whole, replaced at once or not at all."""

import os
import tempfile
from pathlib import Path

from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.errors import RelationUnreadableError
from kuimen.sources.formats import Form, form_of
from kuimen.sources.images.pool import MAX_PICTURE_BYTES, SECONDS_A_DOCUMENT, SECONDS_A_PICTURE, PictureReader
from kuimen.sources.stored import StoredFile


def is_picture(path: Path) -> bool:
    """Tell pictures and PDF from other files; a path that cannot be opened is none."""
    try:
        return form_of(StoredFile(path=path)).form in {Form.IMAGE, Form.PDF}
    except RelationUnreadableError:
        return False


def redacted_picture(path: Path, reader: PictureReader, *, tables: RecognitionTables) -> tuple[bytes, dict[str, int]]:
    """Return a picture or PDF with solid boxes over its personal data, and how often each element was covered.

    The result was read again and nothing of what was covered could be made out; it carries no metadata. A PDF comes
    back as pictures of its pages, without text layer, attachments and forms.

    Raises:
        RelationUnreadableError: the file cannot be opened or is larger than 64 MiB.
        PictureFormError: it is broken or of a form that is not read.
        PictureRefusedError: reading took too long.
        StillReadableError: something could still be read; there is no result.
    """
    stored = StoredFile(path=path)
    form = form_of(stored)
    with stored.seekable() as stream:
        data = stream.read(MAX_PICTURE_BYTES + 1)
    if len(data) > MAX_PICTURE_BYTES:
        raise RelationUnreadableError("image: larger than 64 MiB; make it smaller, or split the PDF")
    pdf = form.form is Form.PDF
    clean: bytes
    counts: dict[str, int]
    clean, counts = reader.run(
        "redact_pdf_task" if pdf else "redact_task",
        data,
        tables.name,
        seconds=SECONDS_A_DOCUMENT if pdf else SECONDS_A_PICTURE,
    )
    return clean, counts


def replace_file(path: Path, data: bytes) -> None:
    """Put bytes in the place of a file, so that readers see the old or the new; its mode is kept.

    Raises:
        RelationUnreadableError: the folder cannot be written.
    """
    try:
        status = path.stat()
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, status.st_mode & 0o777)  # noqa: PTH101 - a name, not a path
        Path(name).replace(path)
    except OSError:
        raise RelationUnreadableError("file: cannot be replaced; check the rights on its folder") from None
