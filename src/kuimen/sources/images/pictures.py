"""Pictures in and out of their files: bounded decoding, several frames, no metadata on the way out."""

import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from kuimen.sources.images.errors import PictureFormError
from kuimen.sources.images.ocr import Picture

MAX_PIXELS = 64_000_000
MAX_FRAMES = 200
Image.MAX_IMAGE_PIXELS = None  # our own bound is stricter and has an error of its own
_OUTPUT = {"JPEG": "JPEG", "PNG": "PNG", "TIFF": "TIFF", "BMP": "BMP", "WEBP": "WEBP"}


def frames_of(data: bytes) -> Iterator[Picture]:
    """Yield the frames of a picture, upright as its EXIF orientation says.

    Raises:
        PictureFormError: it is broken, has more than 64 million pixels or more than 200 frames.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise PictureFormError("image: more than 64 million pixels")
            for number, frame in enumerate(ImageSequence.Iterator(image)):
                if number >= MAX_FRAMES:
                    raise PictureFormError(f"image: more than {MAX_FRAMES} frames")
                yield _bgr(ImageOps.exif_transpose(frame))
    except (OSError, ValueError, SyntaxError, EOFError, UnidentifiedImageError):
        raise PictureFormError("image: broken or of a form that is not read") from None


def _bgr(image: Image.Image) -> Picture:
    if image.mode in {"RGBA", "LA", "PA", "P"}:
        flat = image.convert("RGBA")
        ground = Image.new("RGBA", flat.size, (255, 255, 255, 255))
        image = Image.alpha_composite(ground, flat)
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def encoded(frames: Sequence[Picture], *, like: bytes) -> bytes:
    """Return frames in the form of the original file, PNG where that form cannot be written; no metadata is kept."""
    with Image.open(io.BytesIO(like)) as original:
        form = _OUTPUT.get(original.format or "", "PNG")
    images = [Image.fromarray(np.ascontiguousarray(frame[:, :, ::-1])) for frame in frames]
    out = io.BytesIO()
    more = {"save_all": True, "append_images": images[1:]} if len(images) > 1 and form in {"TIFF", "WEBP"} else {}
    quality = {"quality": 92} if form in {"JPEG", "WEBP"} else {}
    images[0].save(out, form, **more, **quality)
    return out.getvalue()


def jpeg_of(frame: Picture) -> bytes:
    """Return one frame as JPEG without metadata."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(frame[:, :, ::-1])).save(out, "JPEG", quality=88)
    return out.getvalue()
