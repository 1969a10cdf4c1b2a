"""Runs the character tagger over windows of text in batches and reads the best path of tags.

The network (two bidirectional GRU layers, 59 tags) gives a score per character and tag; a table of transitions
scores neighbours. Windows of one length go through together, because the network has no mask for padding. Of the 59
tags only the `_BEAM` best per character take part in the search for the best path: the same paths, at a fraction of
the additions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_BEAM = 8
_BATCH = 48
HOPELESS = -2.0  # odds; no path through such a window has ever held a name
LONGEST_WINDOW = 1024
CODES = 0x30000
PERSON_BEGIN, PERSON_INSIDE = 16, 17
PLACE_BEGIN, PLACE_INSIDE = 18, 19
FIRM_BEGIN, FIRM_INSIDE = 20, 21

Scores = NDArray[np.float32]
Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tagged:
    """A window that the tagger has read.

    Attributes:
        tags: a byte per character.
        odds: per character, by how much a person's tags lead all others.
    """

    tags: bytes
    odds: list[float]


class CharacterTagger(Protocol):
    """Tags characters."""

    def tag(self, windows: Sequence[str]) -> list[Tagged | None]:
        """Return each window read, None where no character comes near a person.

        Args:
            windows: folded text, none empty, none longer than `LONGEST_WINDOW`.
        """
        ...


class Network(Protocol):
    """Gives `(batch, length)` character numbers their `(batch, length, tags)` scores."""

    def scores(self, characters: Codes) -> Scores:
        """Return the scores."""
        ...


def character_codes(text: str) -> NDArray[np.uint32]:
    """Return the code of each character; what lies beyond the third plane counts as its last."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return np.minimum(codes, CODES - 1)


class Tagger:
    """Tags characters by a network that some runtime computes; the search for the path is here.

    Args:
        network: gives the scores.
        transitions: `(tags, tags)` scores from the tag of a character to that of the next.
        numbers: `(CODES,)` number of each character of the first three planes.
    """

    __slots__ = ("_network", "_numbers", "_transitions")

    def __init__(self, network: Network, transitions: Scores, numbers: Codes) -> None:
        self._network = network
        self._transitions = np.ascontiguousarray(transitions, dtype=np.float32)
        self._numbers = numbers

    def tag(self, windows: Sequence[str]) -> list[Tagged | None]:
        """Return each window read; see `CharacterTagger`."""
        results: list[Tagged | None] = [None] * len(windows)
        order = sorted(range(len(windows)), key=lambda index: len(windows[index]))
        begin = 0
        while begin < len(order):
            length = len(windows[order[begin]])
            finish = begin
            while finish < len(order) and finish - begin < _BATCH and len(windows[order[finish]]) == length:
                finish += 1
            chosen = order[begin:finish]
            codes = character_codes("".join(windows[index] for index in chosen))
            scores = self._network.scores(self._numbers[codes].reshape(len(chosen), length))
            odds = _person_odds(scores)
            hopeful = np.flatnonzero(odds.max(axis=1) > HOPELESS)
            if hopeful.size:
                tags = _best_paths(scores[hopeful], self._transitions).astype(np.uint8)
                for path, row in zip(tags, hopeful.tolist(), strict=True):
                    results[chosen[row]] = Tagged(path.tobytes(), odds[row].tolist())
            begin = finish
        return results


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
