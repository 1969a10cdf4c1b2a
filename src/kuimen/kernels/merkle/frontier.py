"""The right edge of a growing tree: all that is needed to append and to know the root.

>>> frontier = Frontier()
>>> nodes = frontier.append_many([leaf_hash(b"first"), leaf_hash(b"second")])
>>> frontier.size, [(run.level, run.first_index, len(run.digests)) for run in nodes]
(2, [(0, 0, 2), (1, 0, 1)])
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from kuimen.kernels.merkle.errors import DigestLengthError, FrontierBytesError
from kuimen.kernels.merkle.hashes import HASH_BYTES, fold_peaks, leaf_hash, node_hash

__all__ = ["Frontier", "NodeRun", "leaf_hash"]

SIZE_BYTES = 8
MAX_SIZE = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRun:
    """Neighbouring nodes of one level that became complete.

    Attributes:
        level: 0 for leaves; a node of level k stands for 2^k leaves.
        first_index: index of the first of them within its level.
        digests: their hashes, in order.
    """

    level: int
    first_index: int
    digests: tuple[bytes, ...]

    def nodes(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield level, index and hash of each node."""
        for offset, digest in enumerate(self.digests):
            yield self.level, self.first_index + offset, digest


class Frontier:
    """Grows by appending; holds one hash per complete subtree, at most 63.

    A complete node never changes again. Whoever stores the nodes that :meth:`append_many` hands out can prove
    inclusion and consistency later.
    """

    __slots__ = ("_peaks", "_size")

    def __init__(self) -> None:
        """Start with the empty tree."""
        self._size = 0
        self._peaks: dict[int, bytes] = {}  # by level; level k is present when bit k of the size is set

    @property
    def size(self) -> int:
        """Return the number of leaves."""
        return self._size

    def root(self) -> bytes:
        """Return the root; SM3 of nothing for the empty tree."""
        return fold_peaks(self._peaks[level] for level in sorted(self._peaks, reverse=True))

    def append(self, leaf: bytes) -> tuple[NodeRun, ...]:
        """Append one leaf hash; see :meth:`append_many`."""
        return self.append_many((leaf,))

    def append_many(self, leaves: Sequence[bytes]) -> tuple[NodeRun, ...]:
        """Append leaf hashes in order.

        Args:
            leaves: hashes as :func:`leaf_hash` gives them, 32 bytes each.

        Returns:
            The nodes that became complete, leaves included, one run per level.

        Raises:
            DigestLengthError: a leaf is not 32 bytes long; nothing is appended.

        Cost: one hash per completed node, fewer than the leaves appended and one per level.
        """
        if any(len(leaf) != HASH_BYTES for leaf in leaves):
            raise DigestLengthError("leaves: give leaf hashes of 32 bytes, as leaf_hash makes them")
        runs: list[NodeRun] = []
        level, index, new = 0, self._size, list(leaves)
        self._size += len(new)
        while new:
            runs.append(NodeRun(level=level, first_index=index, digests=tuple(new)))
            waiting = self._peaks.pop(level, None)
            if waiting is not None:
                new.insert(0, waiting)
                index -= 1
            if len(new) % 2:
                self._peaks[level] = new.pop()
            pairs = iter(new)
            new = [node_hash(left, right) for left, right in zip(pairs, pairs, strict=True)]
            level, index = level + 1, index // 2
        return tuple(runs)

    def to_bytes(self) -> bytes:
        """Return the frontier for storage: size in eight bytes, then the peaks, largest first."""
        peaks = (self._peaks[level] for level in sorted(self._peaks, reverse=True))
        return self._size.to_bytes(SIZE_BYTES, "big") + b"".join(peaks)

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        """Read what :meth:`to_bytes` wrote.

        Raises:
            FrontierBytesError: the bytes are no frontier.
        """
        size = int.from_bytes(stored[:SIZE_BYTES], "big")
        expected = SIZE_BYTES + HASH_BYTES * size.bit_count()
        if len(stored) != expected or size > MAX_SIZE:
            raise FrontierBytesError("frontier: the stored bytes are no frontier; rebuild it from the leaves")
        frontier = cls()
        frontier._size = size
        start = SIZE_BYTES
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                frontier._peaks[level] = stored[start : start + HASH_BYTES]
                start += HASH_BYTES
        return frontier

    def copy(self) -> Self:
        """Return an independent frontier of the same tree."""
        return self.from_bytes(self.to_bytes())
