"""Runs the character tagger over windows of text in batches and reads the best path of tags.

The network (two bidirectional GRU layers, 59 tags) gives a score per character and tag; a table of transitions
scores neighbours. Windows of one length go through together, because the network has no mask for padding. Of the 59
tags only the `_BEAM` best per character take part in the search for the best path: the same paths, at a fraction of
the additions.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_BEAM = 8
_BATCH = 48
_HOPELESS = -2.0  # odds; no path through such a window has ever held a name
_CODES = 0x30000
PERSON_BEGIN, PERSON_INSIDE = 16, 17
PLACE_BEGIN, PLACE_INSIDE = 18, 19
FIRM_BEGIN, FIRM_INSIDE = 20, 21

Scores = NDArray[np.float32]
Codes = NDArray[np.int64]


class Network(Protocol):
    """Gives `(batch, length)` character numbers their `(batch, length, tags)` scores."""

    def scores(self, characters: Codes) -> Scores:
        """Return the scores."""
        ...


class Tagger:
    """Tags characters.

    Args:
        network: gives the scores.
        transitions: `(tags, tags)` scores from the tag of a character to that of the next.
        numbers: `(0x30000,)` number of each character of the first three planes.
    """

    __slots__ = ("_network", "_numbers", "_transitions")

    def __init__(self, network: Network, transitions: Scores, numbers: Codes) -> None:
        self._network = network
        self._transitions = np.ascontiguousarray(transitions, dtype=np.float32)
        self._numbers = numbers

    def encode(self, text: str) -> Codes:
        """Return the number of each character; what lies beyond the third plane counts as unknown."""
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        return self._numbers[np.minimum(codes, _CODES - 1)]

    def tag(self, windows: Sequence[Codes]) -> list[tuple[NDArray[np.int64], Scores]]:
        """Return for each window its tags and, per character, the odds of a person against everything else.

        A window in which no character comes near a person gets no tags (zeros).

        Args:
            windows: character numbers, none empty.
        """
        results: list[tuple[NDArray[np.int64], Scores] | None] = [None] * len(windows)
        order = sorted(range(len(windows)), key=lambda index: len(windows[index]))
        begin = 0
        while begin < len(order):
            length = len(windows[order[begin]])
            finish = begin
            while finish < len(order) and finish - begin < _BATCH and len(windows[order[finish]]) == length:
                finish += 1
            chosen = order[begin:finish]
            scores = self._network.scores(np.stack([windows[index] for index in chosen]))
            odds = _person_odds(scores)
            tags = np.zeros(odds.shape, dtype=np.int64)
            hopeful = np.flatnonzero(odds.max(axis=1) > _HOPELESS)
            if hopeful.size:
                tags[hopeful] = _best_paths(scores[hopeful], self._transitions)
            for row, index in enumerate(chosen):
                results[index] = (tags[row], odds[row])
            begin = finish
        return [result for result in results if result is not None]


def _person_odds(scores: Scores) -> Scores:
    """Return by how much the better of the two person tags leads the best other tag."""
    others = np.maximum(scores[..., :PERSON_BEGIN].max(axis=-1), scores[..., PERSON_INSIDE + 1 :].max(axis=-1))
    lead: Scores = scores[..., PERSON_BEGIN : PERSON_INSIDE + 1].max(axis=-1) - others
    return lead


def _best_paths(scores: Scores, transitions: Scores) -> NDArray[np.int64]:
    """Return the best tag of each character over the tags that score best at their place, `(batch, length)`."""
    batch, length, tags = scores.shape
    beam = np.argpartition(scores, tags - _BEAM, axis=-1)[..., -_BEAM:]
    rows, places = np.arange(batch)[:, None, None], np.arange(length)[None, :, None]
    local = scores[rows, places, beam]
    steps = transitions[beam[:, :-1, :, None], beam[:, 1:, None, :]]
    steps += local[:, 1:, None, :]
    total = local[:, 0]
    back = np.empty((length, batch, _BEAM), dtype=np.int64)
    for place in range(1, length):
        sums = steps[:, place - 1]
        sums += total[:, :, None]
        sums.argmax(axis=1, out=back[place])
        total = sums.max(axis=1)
    row = np.arange(batch)
    choice = total.argmax(axis=1)
    path = np.empty((length, batch), dtype=np.int64)
    for place in range(length - 1, 0, -1):
        path[place] = choice
        choice = back[place, row, choice]
    path[0] = choice
    best: NDArray[np.int64] = np.take_along_axis(beam, path.T[:, :, None], axis=2)[:, :, 0]
    return best
