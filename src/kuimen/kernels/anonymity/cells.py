"""Small cells of a published table of counts: hidden, and so that no total gives them back.

>>> import numpy as np
>>> suppress_small_cells(np.array([[9, 1], [8, 7]]), at_least=3).tolist()
[[False, False], [False, False]]
"""

import numpy as np
from numpy.typing import NDArray

from kuimen.kernels.anonymity.errors import AnonymityLevelError


def suppress_small_cells(counts: NDArray[np.int64], *, at_least: int) -> NDArray[np.bool_]:
    """Return which cells of a table of counts may be shown beside its row and column totals.

    Counts from 1 below `at_least` are hidden. A hidden cell alone in its row or column could be worked out from the
    total, so the smallest further cell of that line goes as well, until no line hides exactly one. Zeros are shown:
    they tell that nobody is there; where that is a secret, merge the groups first.

    Args:
        counts: whole numbers from 0, shape (rows, columns).
        at_least: smallest number of persons that may be shown, 2 or more.

    Cost: the number of hidden cells times the table.

    Raises:
        AnonymityLevelError: not a table of counts, or a bound that hides nothing.
    """
    cells = np.asarray(counts)
    if cells.ndim != 2 or at_least < 2 or not np.issubdtype(cells.dtype, np.integer) or (cells < 0).any():  # noqa: PLR2004 - a table has two
        raise AnonymityLevelError("counts, at_least: give a table of whole numbers from 0 and a bound from 2")
    hidden = (cells > 0) & (cells < at_least)
    while True:
        line = _lonely(hidden)
        if line is None:
            return np.asarray(~hidden)
        row, column = line
        other = np.where(hidden | (cells == 0), np.iinfo(np.int64).max, cells)
        place = np.full(cells.shape, fill_value=True)
        place[row if row is not None else slice(None), column if column is not None else slice(None)] = False
        other = np.where(place, np.iinfo(np.int64).max, other)
        if other.min() == np.iinfo(np.int64).max:  # only zeros are left: hide one, or the total tells
            other = np.where(hidden | place, np.iinfo(np.int64).max, cells)
            if other.min() == np.iinfo(np.int64).max:
                return np.asarray(~hidden)
        hidden.flat[int(other.argmin())] = True


def _lonely(hidden: NDArray[np.bool_]) -> tuple[int | None, int | None] | None:
    """Return a row or a column with exactly one hidden cell among several."""
    if hidden.shape[1] > 1:
        for row in np.flatnonzero(hidden.sum(axis=1) == 1):
            return int(row), None
    if hidden.shape[0] > 1:
        for column in np.flatnonzero(hidden.sum(axis=0) == 1):
            return None, int(column)
    return None
