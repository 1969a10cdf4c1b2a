"""Where the photograph of an identity card lies, told from its lines: right of the values, above the number."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kuimen.sources.images.lines import Quad, TextLine
from kuimen.sources.images.reading import identity_labels, label_of

Axis = NDArray[np.float64]
_LEAST_LABELS = 3
_LEAST_SHARE = 0.12


def portrait_of(lines: Sequence[TextLine], size: tuple[int, int]) -> Quad | None:
    """Return the corners of the area that holds the photograph, None where the lines are no identity card.

    The area runs from the end of the longest value to the edge of the card, from above the first label to the number;
    it leans as the lines lean.

    Args:
        lines: of the upright picture.
        size: height and width of the upright picture.
    """
    if len(identity_labels(lines)) < _LEAST_LABELS:
        return None
    labels = [(label_of(line.text), line) for line in lines]
    named = {found[0]: line for found, line in labels if found is not None}
    bottom = named.get("公民身份号码") or max(lines, key=lambda line: line.middle)
    top = min(named.values(), key=lambda line: line.middle)
    axis = bottom.quad[1] - bottom.quad[0]
    along = axis / max(float(np.linalg.norm(axis)), 1.0)
    down = np.array([-along[1], along[0]])
    origin = top.quad[0]
    above = (bottom.quad[0] - origin) @ down
    heights = [line for line in lines if -line.height < (line.quad[0] - origin) @ down < above - bottom.height / 2]
    values = [line for line in heights if len(line.text) > 1]
    if not values or above <= 0:
        return None
    value_end = max(
        float(((line.quad - origin) @ along).max()) for line in _beside_labels(values, named, along, origin)
    )
    number_end = max(
        float(((line.quad - origin) @ along).max())
        for line in lines
        if abs((line.quad[0] - bottom.quad[0]) @ down) < line.height
    )
    height, width = size
    begin = value_end + bottom.height * 0.2
    finish = max(number_end * 1.45, begin + above * 0.85)
    corners = np.array(
        [
            origin + along * begin - down * top.height * 1.2,
            origin + along * finish - down * top.height * 1.2,
            origin + along * finish + down * (above - bottom.height * 0.4),
            origin + along * begin + down * (above - bottom.height * 0.4),
        ]
    )
    clipped = np.column_stack([corners[:, 0].clip(0, width), corners[:, 1].clip(0, height)])
    return clipped if float(np.ptp(clipped[:, 0])) > _LEAST_SHARE * width else None


def _beside_labels(values: Sequence[TextLine], named: dict[str, TextLine], along: Axis, origin: Axis) -> list[TextLine]:
    """Leave out what OCR believes to read inside the photograph: lines that begin far right of every label."""
    label_end = max(float(((line.quad - origin) @ along).max()) for line in named.values())
    near = [line for line in values if float(((line.quad - origin) @ along).min()) < label_end * 1.1]
    return near or list(values)
