"""What the reading process does: plain values in, plain values out."""

import io
from collections import Counter

import numpy as np
import pypdfium2

from kuimen.kernels.elements.overlay import tables_for
from kuimen.sources.images.errors import PictureFormError
from kuimen.sources.images.ocr import Picture
from kuimen.sources.images.pictures import encoded, frames_of, jpeg_of
from kuimen.sources.images.redaction import findings_of, redact_picture

MAX_PAGES = 500
_RENDER_SCALE = 200 / 72
_LARGEST_SIDE = 6000


Counted = dict[str, tuple[str, list[int]]]
"""Per element its likelihood where first met, and the frames (from 1) it stands in, once per finding."""


def find_task(data: bytes, tables: str) -> tuple[int, Counted]:
    """Return the number of frames and what stands in them."""
    counted: Counted = {}
    frames = 0
    for number, frame in enumerate(frames_of(data), start=1):
        frames = number
        _count(frame, number, tables, counted)
    return frames, counted


def find_page_task(picture: Picture, tables: str) -> tuple[int, Counted]:
    """Return what stands in one rendered page."""
    counted: Counted = {}
    _count(np.ascontiguousarray(picture[:, :, :3]), 1, tables, counted)
    return 1, counted


def _count(picture: Picture, number: int, tables: str, counted: Counted) -> None:
    for one in findings_of(picture, tables=tables_for(tables))[0]:
        counted.setdefault(str(one.element), (str(one.likelihood), []))[1].append(number)


def redact_task(data: bytes, tables: str) -> tuple[bytes, dict[str, int]]:
    """Return a picture file without its personal data and without metadata, and how often each element was covered.

    Raises:
        PictureFormError, StillReadableError: as named.
    """
    counted: Counter[str] = Counter()
    frames = []
    for frame in frames_of(data):
        clean, found = redact_picture(frame, tables=tables_for(tables))
        counted.update(str(one.element) for one in found)
        frames.append(clean)
    if not frames:
        raise PictureFormError("image: holds no frame")
    return encoded(frames, like=data), dict(counted)


def redact_pdf_task(data: bytes, tables: str) -> tuple[bytes, dict[str, int]]:
    """Return a PDF whose pages are pictures with solid boxes: no text layer, no attachments, no metadata.

    Raises:
        PictureFormError: it is broken, has a password or more than 500 pages.
        StillReadableError: as named.
    """
    counted: Counter[str] = Counter()
    try:
        source = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        raise PictureFormError("pdf: broken, or it has a password") from None
    if len(source) > MAX_PAGES:
        raise PictureFormError(f"pdf: more than {MAX_PAGES} pages; split it")
    made = pypdfium2.PdfDocument.new()
    for page in source:
        width, height = page.get_size()
        scale = min(_RENDER_SCALE, _LARGEST_SIDE / max(width, height, 1.0))
        picture = page.render(scale=scale, rev_byteorder=False).to_numpy()[:, :, :3].copy()
        clean, found = redact_picture(picture, tables=tables_for(tables))
        counted.update(str(one.element) for one in found)
        _append(made, clean, width, height)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue(), dict(counted)


def _append(made: pypdfium2.PdfDocument, picture: Picture, width: float, height: float) -> None:
    image = pypdfium2.PdfImage.new(made)
    image.load_jpeg(io.BytesIO(jpeg_of(picture)), inline=True)
    image.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
    page = made.new_page(width, height)
    page.insert_obj(image)
    page.gen_content()
