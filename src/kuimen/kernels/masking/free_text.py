"""Masking in place: the findings of a scan are masked where they stand, the words between them stay."""

from collections.abc import Iterable
from typing import Protocol

from kuimen.foundation.sensitive import FIXED_MASK
from kuimen.kernels.masking.errors import SpanError
from kuimen.kernels.masking.values import mask_value


class Span(Protocol):
    """A place in a text and what was found there; a detection's finding is one."""

    @property
    def element(self) -> str:
        """Name of the data element."""
        ...

    @property
    def start(self) -> int:
        """First character."""
        ...

    @property
    def end(self) -> int:
        """One past the last character."""
        ...


def mask_free_text(text: str, spans: Iterable[Span]) -> str:
    """Mask every finding in a text.

    Args:
        text: a note, a message, a transcript.
        spans: places in it, in any order. Where two overlap, all they cover together becomes six stars.

    Raises:
        SpanError: a place does not lie inside the text.

    Guarantees:
        No character of a finding is shown that its mask does not show.

    Clause: CQJR-5.4-g
    """
    pieces: list[str] = []
    position = 0
    for start, end, element in _merged(text, spans):
        pieces.append(text[position:start])
        pieces.append(FIXED_MASK if element is None else mask_value(element, text[start:end]))
        position = end
    return "".join(pieces) + text[position:]


def _merged(text: str, spans: Iterable[Span]) -> list[tuple[int, int, str | None]]:
    """Return disjoint places in order; None in place of the element where findings overlap."""
    merged: list[tuple[int, int, str | None]] = []
    for start, end, element in sorted((span.start, span.end, str(span.element)) for span in spans):
        if not 0 <= start < end <= len(text):
            raise SpanError("spans: a finding lies outside the text; scan this very text again")
        if merged and start < merged[-1][1]:
            first, last, _ = merged[-1]
            merged[-1] = first, max(last, end), None
        else:
            merged.append((start, end, element))
    return merged
