"""pandas data frames: converted to Arrow, worked on there, and back with their index."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from kuimen.entrypoints.bulk.batches import (
    checked_elements,
    classify_table,
    detect_table,
    mask_table,
    redact_table,
    text_columns,
)
from kuimen.kernels.detection import ColumnFinding, Likelihood
from kuimen.kernels.elements.model import Element

Frame = Any
"""A pandas DataFrame; pandas is imported by whoever has one."""


def _text_of(frame: Frame, columns: Sequence[str]) -> pa.Table:
    """Return columns of text as Arrow; None and NaN become null, other objects in them are left alone as null."""
    return pa.table(
        {
            name: pa.array([value if isinstance(value, str) else None for value in frame[name]], pa.string())
            for name in columns
        }
    )


def _text_names(frame: Frame, columns: Sequence[str] | None) -> list[str]:
    if columns is not None:
        text_columns(pa.schema([(str(name), pa.string()) for name in frame.columns]), columns)
        return list(columns)
    return [name for name in frame.columns if any(isinstance(value, str) for value in frame[name])]


def detect_frame(
    frame: Frame,
    columns: Sequence[str] | None = None,
    *,
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    overlay: str | None = None,
) -> Frame:
    """Return a data frame of findings; `row` is the position of the row in the frame.

    Raises:
        BulkColumnError: a named column is not in the frame.
    """
    text = _text_of(frame, _text_names(frame, columns))
    return detect_table(text, min_likelihood=min_likelihood, overlay=overlay).to_pandas()


def redact_frame(
    frame: Frame,
    columns: Sequence[str] | None = None,
    *,
    style: str = "label",
    min_likelihood: Likelihood | str = Likelihood.POSSIBLE,
    overlay: str | None = None,
) -> Frame:
    """Return a copy of the frame without the personal data in its text; errors as above."""
    names = _text_names(frame, columns)
    clean = redact_table(_text_of(frame, names), style=style, min_likelihood=min_likelihood, overlay=overlay)
    return _with_columns(frame, clean)


def mask_frame(frame: Frame, elements: Mapping[str, Element | str]) -> Frame:
    """Return a copy of the frame with the named columns masked as their elements demand; errors as above."""
    _text_names(frame, list(elements))
    text = _text_of(frame, list(elements))
    return _with_columns(frame, mask_table(text, checked_elements(text.schema, elements)))


def classify_frame(frame: Frame, *, name: str = "", overlay: str | None = None) -> list[ColumnFinding]:
    """Name the element of every column of a frame."""
    return classify_table(pa.Table.from_pandas(frame, preserve_index=False), name=name, overlay=overlay)


def _with_columns(frame: Frame, text: pa.Table) -> Frame:
    """Put columns of text back; cells that were no text stay as they were."""
    made = frame.copy()
    for name in text.schema.names:
        cells = zip(frame[name], text.column(name).to_pylist(), strict=True)
        made[name] = [new if isinstance(old, str) else old for old, new in cells]
    return made
