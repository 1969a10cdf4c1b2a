"""The tagger by the kernels in C: the same network and path as by the runtime, two to four times as fast."""

from collections.abc import Sequence
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from kuimen.kernels.detection.names.graph_file import tables_of
from kuimen.kernels.detection.names.tagger import HOPELESS, Codes, Scores, Tagged, character_codes

TAGS = 59
_GATES, _UNITS = 384, 128
_BOTH = 2 * _UNITS


class NativeTagger:
    """Tags characters; implements `CharacterTagger`.

    What the first layer makes of a character does not depend on its place, so it is computed here once for all 8,223
    characters that the network knows (25 MB).

    Args:
        native: the extension.
        graph: the ONNX file.
        transitions: `(59, 59)` scores from the tag of a character to that of the next.
        numbers: `(CODES,)` row of each character in the embedding.
        portable: without the instructions that this processor may have and others have not.
    """

    __slots__ = ("_native", "_rows", "_tagger")

    def __init__(
        self, native: ModuleType, graph: bytes, transitions: Scores, numbers: Codes, *, portable: bool = False
    ) -> None:
        tables = tables_of(graph)
        first, first_turn, first_bias = (tables[f"helper.concat.{number}"] for number in (5, 6, 9))
        second, second_turn, second_bias = (tables[f"helper.concat.{number}"] for number in (14, 15, 18))
        known, rows = np.unique(numbers, return_inverse=True)
        projected = tables["embedding_0.w_0"][known] @ first.reshape(2 * _GATES, -1).T
        projected += _ready(first_bias)
        self._native = native
        self._rows = rows.astype(np.int32)
        self._tagger = native.tagger_new(
            np.ascontiguousarray(projected),
            np.concatenate([first_turn, second_turn]),
            np.concatenate([first_bias[:, -_UNITS:], second_bias[:, -_UNITS:]]),
            np.ascontiguousarray(second.reshape(2 * _GATES, _BOTH)),
            _ready(second_bias),
            np.ascontiguousarray(tables["linear_0.w_0"].T),
            tables["linear_0.b_0"],
            np.ascontiguousarray(transitions),
            portable,
        )

    def tag(self, windows: Sequence[str]) -> list[Tagged | None]:
        """Return each window read; see `CharacterTagger`."""
        if not windows:
            return []
        lengths = np.fromiter(map(len, windows), dtype=np.int32, count=len(windows))
        rows = self._rows[character_codes("".join(windows))]
        tags, lead = self._native.tagger_tag(self._tagger, rows, lengths, HOPELESS)
        odds = np.frombuffer(lead, dtype=np.float32)
        ends = np.cumsum(lengths)
        starts = ends - lengths
        hopeful = np.maximum.reduceat(odds, starts) > HOPELESS
        return [
            Tagged(tags[start:end], odds[start:end].tolist()) if near else None
            for start, end, near in zip(starts.tolist(), ends.tolist(), hopeful.tolist(), strict=True)
        ]


def _ready(bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what can be added before the turn: both biases of update and reset, one of the candidate."""
    ready = bias[:, :_GATES].copy()
    ready[:, : 2 * _UNITS] += bias[:, _GATES : _GATES + 2 * _UNITS]
    return ready.reshape(-1)
