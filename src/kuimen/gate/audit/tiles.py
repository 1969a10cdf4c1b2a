"""Which nodes of the tree are stored, and how the others are made from them when a proof asks.

Stored are the leaves and the roots of full subtrees of 256, 65 536, … leaves. A proof in a log of any size then reads
two runs of at most 256 digests per stored level, and the tree costs one row in 256.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from kuimen.kernels.merkle import NodeRun, node_hash

TILE_BITS = 8
TILE = 1 << TILE_BITS

ReadRun = Callable[[int, int, int], Sequence[bytes]]
"""Return the stored digests of a level from the first index to before the last; level 0 are the leaves."""


def stored_nodes(runs: Iterable[NodeRun]) -> Iterator[tuple[int, int, bytes]]:
    """Pick (level, index, digest) of what is stored beside the leaves."""
    for run in runs:
        if run.level and run.level % TILE_BITS == 0:
            yield from run.nodes()


class TileReader:
    """Gives any complete node of the tree of the first `size` leaves; serves one proof, then is let go."""

    def __init__(self, size: int, read: ReadRun) -> None:
        """Read stored digests through `read`, each run once."""
        self._size = size
        self._read = read
        self._runs: dict[tuple[int, int], Sequence[bytes]] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Return the digest of one complete node.

        Raises:
            IndexError: a stored digest is missing.
        """
        stored = level - level % TILE_BITS
        count = 1 << (level - stored)
        digests = [self._stored(stored, index * count + offset) for offset in range(count)]
        while len(digests) > 1:
            digests = [node_hash(left, right) for left, right in zip(digests[::2], digests[1::2], strict=True)]
        return digests[0]

    def _stored(self, level: int, index: int) -> bytes:
        tile = index >> TILE_BITS
        if (level, tile) not in self._runs:
            end = min((tile + 1) << TILE_BITS, self._size >> level)
            self._runs[level, tile] = self._read(level, tile << TILE_BITS, end)
        return self._runs[level, tile][index - (tile << TILE_BITS)]
