"""Many texts laid end to end, so that every recogniser passes over them once, and their Chinese lines by themselves.

Between two texts stands a bar. Recognisers read line by line, and what may span lines ends at a bar, so a block gives
the findings of its texts.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kuimen.kernels.detection.evidence import Candidate

BAR = "\n\x00\n"
_BLOCK_CHARACTERS = 1 << 17
_MOST_TEXTS = 4096


def grouped(texts: Sequence[str]) -> Iterator[range]:
    """Yield runs of texts to be laid end to end; a text that holds a bar itself stays alone."""
    first = characters = 0
    for number, text in enumerate(texts):
        alone = BAR in text
        if number > first and (alone or characters + len(text) > _BLOCK_CHARACTERS or number - first == _MOST_TEXTS):
            yield range(first, number)
            first, characters = number, 0
        characters += len(text)
        if alone:
            yield range(first, number + 1)
            first, characters = number + 1, 0
    if first < len(texts):
        yield range(first, len(texts))


def starts_of(texts: Sequence[str]) -> list[int]:
    """Return where each text begins when a bar stands between them."""
    starts, position = [], 0
    for text in texts:
        starts.append(position)
        position += len(text) + len(BAR)
    return starts


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some lines of a block.

    Attributes:
        text: the lines, each with its end.
        places: where they begin in `text`, None where nothing was left out.
        origins: where they begin in the block.
    """

    text: str
    places: list[int] | None = None
    origins: Sequence[int] = ()

    def restored(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Yield what was found in the excerpt with its place in the block."""
        if self.places is None:
            yield from candidates
            return
        for one in candidates:
            line = bisect_right(self.places, one.start) - 1
            shift = self.origins[line] - self.places[line]
            one.start += shift
            one.end += shift
            yield one


def excerpts(text: str, *, many: bool, apart: Callable[[str], Sequence[int]]) -> list[Excerpt]:
    """Return the lines of a folded block that hold more than ASCII.

    Args:
        text: the folded block.
        many: bars part it into texts; else it is one.
        apart: gives places in the block; texts that hold one go into an excerpt of their own.
    """
    if text.isascii():
        return []
    if not many and "\n" not in text:
        return [Excerpt(text)]
    places = apart(text)
    passed = 0
    gathered: dict[bool, tuple[list[str], list[int]]] = {True: ([], []), False: ([], [])}
    position = 0
    for one in text.split(BAR) if many else (text,):
        finish = position + len(one)
        if not one.isascii():
            while passed < len(places) and places[passed] < position:
                passed += 1
            lines, origins = gathered[passed < len(places) and places[passed] < finish]
            for line in one.split("\n"):
                if not line.isascii():
                    lines.append(line)
                    origins.append(position)
                position += len(line) + 1
        position = finish + len(BAR)
    return [_laid(lines, origins) for lines, origins in gathered.values() if lines]


def _laid(lines: list[str], origins: list[int]) -> Excerpt:
    places, position = [], 0
    for line in lines:
        places.append(position)
        position += len(line) + 1
    return Excerpt("\n".join(lines), places, origins)
