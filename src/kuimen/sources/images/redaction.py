"""Burn personal data out of a picture, and read it again to see that nothing of it is left."""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

from kuimen.kernels.detection import Evidence, EvidenceKind, Likelihood
from kuimen.kernels.elements.model import Element
from kuimen.kernels.elements.overlay import RecognitionTables
from kuimen.sources.images.errors import StillReadableError
from kuimen.sources.images.lines import Quad, TextLine
from kuimen.sources.images.ocr import Picture, read_upright
from kuimen.sources.images.portrait import portrait_of
from kuimen.sources.images.reading import PictureFinding, find_in_picture

_ROUNDS = 4
_FRAGMENT = 4
_BLANK = 8.0
_COVERED = 0.3
_SIGNS_OF_A_BOX = 2


def findings_of(picture: Picture, *, tables: RecognitionTables) -> tuple[list[PictureFinding], list[TextLine], int]:
    """Return what a picture holds, its lines, and the quarter turns that bring it upright; portraits included."""
    lines, turns = read_upright(picture)
    found = find_in_picture(lines, tables=tables)
    height, width = picture.shape[:2] if turns % 2 == 0 else picture.shape[1::-1]
    portrait = portrait_of(lines, (height, width))
    if portrait is not None and _shows_something(np.rot90(picture, turns), portrait):
        reason = Evidence(EvidenceKind.LABEL, "photograph beside the labels of an identity card", 5)
        found.append(
            PictureFinding(
                element=Element.PHOTO_IMAGE,
                likelihood=Likelihood.LIKELY,
                quads=(portrait,),
                lines=(),
                evidence=(reason,),
            )
        )
    return found, lines, turns


def _shows_something(upright: Picture, area: Quad) -> bool:
    """Tell a photograph from an area that is blank or already covered."""
    left, top = area.min(axis=0).astype(int)
    right, bottom = area.max(axis=0).astype(int)
    inside = upright[top:bottom, left:right]
    if not inside.size or float(inside.std(axis=(0, 1)).max()) < _BLANK:
        return False
    return float((inside.max(axis=2) == 0).mean()) < _COVERED


def redact_picture(picture: Picture, *, tables: RecognitionTables) -> tuple[Picture, list[PictureFinding]]:
    """Return the picture with solid boxes over every finding, and the findings.

    The result is read again; what can still be made out is covered wider, whole lines at last.

    Raises:
        StillReadableError: after four rounds something is still read; the picture must not be given away.
    """
    found, lines, turns = findings_of(picture, tables=tables)
    if not found:
        return picture, []
    upright = np.rot90(picture, turns).copy()
    known = _fragments(found, lines)
    burn(upright, (quad for one in found for quad in one.quads))
    everything = list(found)
    for attempt in range(_ROUNDS):
        again, seen, moved = findings_of(upright, tables=tables)
        turned = np.rot90(upright, moved).copy()
        left = [
            one
            for one in again
            if one.element is not Element.PHOTO_IMAGE and not all(_is_box(turned, seen[number]) for number in one.lines)
        ]
        betraying = [line for line in seen if _betrays(line.text, known)]
        if not left and not betraying:
            return np.rot90(upright, -turns).copy(), everything
        everything += left
        known |= _fragments(left, seen)
        margin = 0.2 + 0.15 * attempt
        burn(turned, (seen[number].whole(margin=margin) for one in left for number in one.lines))
        burn(turned, (line.whole(margin=margin) for line in betraying))
        upright = np.rot90(turned, -moved).copy()
    raise StillReadableError("image: personal data can still be read after redaction; nothing was written")


def _is_box(upright: Picture, line: TextLine) -> bool:
    """Tell a box burnt in, which OCR takes for a sign or two, from what can be read."""
    if len(_plain(line.text)) > _SIGNS_OF_A_BOX:
        return False
    left, top = line.quad.min(axis=0).clip(0).astype(int)
    right, bottom = np.ceil(line.quad.max(axis=0)).astype(int)
    inside = upright[top:bottom, left:right]
    return not inside.size or float((inside.max(axis=2) == 0).mean()) >= _COVERED


def burn(picture: Picture, quads: Iterable[Quad]) -> None:
    """Fill areas with black, in place."""
    for quad in quads:
        cv2.fillPoly(picture, [np.rint(quad).astype(np.int32)], (0, 0, 0))


def _fragments(found: Sequence[PictureFinding], lines: Sequence[TextLine]) -> set[str]:
    """Return the pieces of four characters whose reappearance would betray a covered value."""
    pieces: set[str] = set()
    for one in found:
        for number in one.lines:
            text = _plain(lines[number].text)
            pieces.update(text[at : at + _FRAGMENT] for at in range(len(text) - _FRAGMENT + 1))
    return {piece for piece in pieces if sum(letter.isdigit() for letter in piece) >= _FRAGMENT - 1}


def _betrays(text: str, known: set[str]) -> bool:
    plain = _plain(text)
    return any(plain[at : at + _FRAGMENT] in known for at in range(len(plain) - _FRAGMENT + 1))


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())
