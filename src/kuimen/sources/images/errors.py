"""What can go wrong with pictures."""

from typing import ClassVar

from kuimen.foundation.errors import InvalidInputError, UnavailableError


class ImagesExtraError(UnavailableError):
    """Reading text in pictures needs the extra `images`, which is not installed."""

    code: ClassVar[str] = "sources.images_extra"


class PictureFormError(InvalidInputError):
    """The picture is broken, too large, or of a form that is not read."""

    code: ClassVar[str] = "sources.picture_form"


class PictureRefusedError(UnavailableError):
    """Reading the picture took too long or brought the reading process down."""

    code: ClassVar[str] = "sources.picture_refused"


class StillReadableError(UnavailableError):
    """After redaction something could still be read; nothing was written."""

    code: ClassVar[str] = "sources.still_readable"
