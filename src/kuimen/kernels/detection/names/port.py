"""What a recogniser of names in running text offers, whatever stands behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from kuimen.kernels.elements.model import Element


class NameSearch(StrEnum):
    """How names of persons in free text are looked for; printed with every scan."""

    MODEL = "model"
    LEAD_INS_ONLY = "lead_ins_only"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that a recogniser takes for a name.

    Attributes:
        element: what it is.
        start: offset of the first character in the text given.
        end: offset behind the last.
        margin: by how much the weakest character speaks for a name rather than for anything else, in natural
            logarithms of the odds; below zero the neighbours carried it.
    """

    element: Element
    start: int
    end: int
    margin: float


class LinguisticRecogniser(Protocol):
    """Finds names that no lead-in announces.

    Texts are folded (`folding.fold`), one record each. The answer has one list per text, in order of place, without
    overlaps. Nothing is kept between calls, so a caller batches as it likes; many texts in one call are faster.
    """

    def find(
        self, texts: Sequence[str], *, settled: Sequence[Sequence[tuple[int, int]]] | None = None
    ) -> list[list[Span]]:
        """Return the names of each text.

        Args:
            texts: folded texts.
            settled: for each text the spans that are decided already; nothing that begins inside them is looked at.
        """
        ...
