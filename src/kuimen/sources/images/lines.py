"""Lines of text in a picture and where their characters stand. Plain geometry, no library of pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
from numpy.typing import NDArray

Quad = NDArray[np.float64]
"""Four corners (4, 2) in pixels, clockwise from the top left as the text is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """One line as OCR read it in an upright picture.

    Attributes:
        text: its characters.
        quad: its corners.
        spans: for each character its begin and end as shares of the line's length.
        score: how sure OCR is, 0 to 1.
    """

    text: str
    quad: Quad
    spans: tuple[tuple[float, float], ...]
    score: float

    @property
    def height(self) -> float:
        """Height in pixels."""
        return (_length(self.quad[0], self.quad[3]) + _length(self.quad[1], self.quad[2])) / 2

    @property
    def width(self) -> float:
        """Length in pixels."""
        return (_length(self.quad[0], self.quad[1]) + _length(self.quad[3], self.quad[2])) / 2

    @property
    def left(self) -> float:
        """Leftmost pixel."""
        return float(self.quad[:, 0].min())

    @property
    def right(self) -> float:
        """Rightmost pixel."""
        return float(self.quad[:, 0].max())

    @property
    def middle(self) -> float:
        """Height of its middle in the picture."""
        return float(self.quad[:, 1].mean())

    def part(self, start: int, end: int, *, margin: float = 0.0) -> Quad:
        """Return the corners around characters start to end, `margin` line heights wider on every side."""
        reach = margin * self.height / max(self.width, 1.0)
        begin = self.spans[start][0] - reach
        finish = self.spans[end - 1][1] + reach
        top, bottom = self.quad[1] - self.quad[0], self.quad[2] - self.quad[3]
        down = (self.quad[3] - self.quad[0]) * margin
        return np.array(
            [
                self.quad[0] + top * begin - down,
                self.quad[0] + top * finish - down,
                self.quad[3] + bottom * finish + down,
                self.quad[3] + bottom * begin + down,
            ]
        )

    def whole(self, *, margin: float = 0.0) -> Quad:
        """Return the corners of the line, wider by `margin` line heights."""
        reach = margin * self.height / max(self.width, 1.0)
        top, bottom = self.quad[1] - self.quad[0], self.quad[2] - self.quad[3]
        down = (self.quad[3] - self.quad[0]) * margin
        return np.array(
            [
                self.quad[0] - top * reach - down,
                self.quad[1] + top * reach - down,
                self.quad[2] + bottom * reach + down,
                self.quad[3] - bottom * reach + down,
            ]
        )


def rows_of(lines: Sequence[TextLine]) -> list[list[TextLine]]:
    """Group lines that stand beside one another into rows, rows from the top, lines from the left.

    The slope of the longest line is taken out first, so that a picture held askew keeps its rows.
    """
    if not lines:
        return []
    longest = max(lines, key=lambda line: line.width)
    run = longest.quad[1] - longest.quad[0]
    slope = float(run[1] / run[0]) if abs(run[0]) > 1 else 0.0
    levelled = sorted(lines, key=lambda line: line.middle - slope * _centre(line))
    rows: list[list[TextLine]] = []
    level = 0.0
    for line in levelled:
        height = line.middle - slope * _centre(line)
        if rows and abs(height - level) < 0.6 * min(line.height, rows[-1][0].height):
            rows[-1].append(line)
            continue
        rows.append([line])
        level = height
    for row in rows:
        row.sort(key=lambda line: line.left)
    return rows


def _centre(line: TextLine) -> float:
    return float(line.quad[:, 0].mean())


def _length(start: NDArray[np.float64], end: NDArray[np.float64]) -> float:
    return hypot(*(end - start))
