"""The OCR engine: upright a picture, read its lines. Runs in the reading process only.

The models (PP-OCRv6) come in the wheel of `rapidocr`; nothing is downloaded.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidocr import RapidOCR

from kuimen.sources.images.lines import TextLine

Picture = NDArray[np.uint8]
"""Blue, green, red bytes (height, width, 3)."""

_GOOD_SCORE = 0.85
_SMALL_SIDE = 800
_LONG_SIDE = 2000
_LONG_RATIO = 2.2
_OVERLAP = 0.15
_LEAST_SCORE = 0.3


@cache
def _engine() -> RapidOCR:
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": _LEAST_SCORE,
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def read_upright(picture: Picture) -> tuple[list[TextLine], int]:
    """Return the lines of a picture and how many quarter turns counter-clockwise bring it upright.

    Lines count in pixels of the upright picture. Cost: one pass of OCR for an upright picture, up to three else.
    """
    lines, sideways = _read(picture)
    if not lines:
        return [], 0
    good = _score(lines) >= _GOOD_SCORE
    if good and not sideways:
        return lines, 0
    # a line on its side is turned a quarter before it is read: read well, its picture wants the same turn
    first = (1 if good else 3) if sideways else 2
    tried = [(lines, 0)] if not sideways else []
    for turns in (first, (first + 2) % 4):
        if turns == 0:
            break
        turned, still_sideways = _read(np.rot90(picture, turns).copy())
        if turned and not still_sideways:
            tried.append((turned, turns))
            if _score(turned) >= _GOOD_SCORE:
                break
    return max(tried, key=lambda one: _weight(one[0]), default=(lines, 0))


def _score(lines: list[TextLine]) -> float:
    """Return the score of the average character."""
    characters = sum(len(line.text) for line in lines)
    return sum(line.score * len(line.text) for line in lines) / characters if characters else 0.0


def _weight(lines: list[TextLine]) -> float:
    """Return how much was read well: a few sure characters in a ground pattern do not outweigh a text."""
    return sum(max(0.0, line.score - 0.5) * len(line.text) for line in lines)


def _read(picture: Picture) -> tuple[list[TextLine], bool]:
    """Read a picture as it lies; also tell whether most of its text stands on its side."""
    height, width = picture.shape[:2]
    if max(height, width) > _LONG_SIDE and max(height, width) > _LONG_RATIO * min(height, width):
        return _read_long(picture)
    scale = 2.0 if max(height, width) < _SMALL_SIDE else 1.0
    shown: Any = picture
    if scale != 1.0:
        shown = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    found: Any = _engine()(shown, use_cls=False, return_word_box=True, return_single_char_box=True)
    if found.boxes is None or found.txts is None:
        return [], False
    lines = []
    upright = sideways = 0
    for box, text, score, characters in zip(found.boxes, found.txts, found.scores, found.word_results, strict=True):
        quad = np.asarray(box, dtype=np.float64) / scale
        across = np.linalg.norm(quad[1] - quad[0])
        if np.linalg.norm(quad[3] - quad[0]) > 1.5 * across:
            sideways += len(text)
        else:
            upright += len(text)
        lines.append(TextLine(text=text, quad=quad, spans=_spans(text, quad, characters, scale), score=float(score)))
    return lines, sideways > upright


def _read_long(picture: Picture) -> tuple[list[TextLine], bool]:
    """Read a long picture tile by tile; a line cut by a border is whole in the neighbouring tile."""
    height, width = picture.shape[:2]
    tall = height > width
    side, long = min(height, width), max(height, width)
    step = max(int(side * 1.5), _SMALL_SIDE)
    lines: list[TextLine] = []
    turned = 0
    for begin in range(0, long, step):
        end = min(long, begin + int(step * (1 + _OVERLAP)))
        tile = picture[begin:end] if tall else picture[:, begin:end]
        found, sideways = _read(tile.copy())
        turned += len(found) if sideways else -len(found)
        shift = np.array([0.0, begin] if tall else [begin, 0.0])
        lines += [
            TextLine(text=line.text, quad=line.quad + shift, spans=line.spans, score=line.score) for line in found
        ]
    return lines, turned > 0


def _spans(text: str, quad: NDArray[np.float64], characters: Any, scale: float) -> tuple[tuple[float, float], ...]:  # noqa: ANN401
    """Return where each character begins and ends along the line; even shares where OCR does not say."""
    even = tuple((place / len(text), (place + 1) / len(text)) for place in range(len(text)))
    boxes = [(part, np.asarray(box, dtype=np.float64) / scale) for part, _, box in characters or ()]
    if "".join(part for part, _ in boxes) != text.replace(" ", ""):
        return even
    along = quad[1] - quad[0]
    length = float(along @ along) or 1.0
    spans: list[tuple[float, float]] = []
    remaining = iter(boxes)
    for letter in text:
        if letter == " ":
            spans.append((spans[-1][1] if spans else 0.0,) * 2)
            continue
        part, box = next(remaining, ("", None))
        if part != letter or box is None:
            return even
        ends = (box - quad[0]) @ along / length
        spans.append((float(ends.min()), float(ends.max())))
    return tuple(spans)
