"""Pictures: text is read by OCR in processes of their own, personal data are found in it and burnt out of it.

Needs the extra `images`; without it every entrance raises `ImagesExtraError`, which says what to install.
"""

from kuimen.sources.images.errors import (
    ImagesExtraError,
    PictureFormError,
    PictureRefusedError,
    StillReadableError,
)
from kuimen.sources.images.files import is_picture, redacted_picture, replace_file
from kuimen.sources.images.pool import PictureReader

__all__ = [
    "ImagesExtraError",
    "PictureFormError",
    "PictureReader",
    "PictureRefusedError",
    "StillReadableError",
    "is_picture",
    "redacted_picture",
    "replace_file",
]
