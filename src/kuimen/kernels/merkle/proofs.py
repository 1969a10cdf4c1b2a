"""Proofs over stored nodes: that a leaf is in a tree, and that a tree only grew.

Making a proof reads complete nodes; verifying one needs nothing but its hashes. A verification raises: there is no
result that could be ignored.
"""

from collections.abc import Callable, Iterator, Sequence

from kuimen.kernels.merkle.errors import ConsistencyBrokenError, InclusionBrokenError, TreeRangeError
from kuimen.kernels.merkle.hashes import EMPTY_ROOT, fold_peaks, node_hash

NodeReader = Callable[[int, int], bytes]


def _split(count: int) -> int:
    """Return the largest power of two below `count`, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1


def subtree_root(start: int, end: int, node_reader: NodeReader) -> bytes:
    """Return the root of the leaves from `start` to before `end`, where `start` begins a complete subtree.

    Args:
        start: first leaf; a multiple of the largest power of two that fits into the range.
        end: one past the last leaf.
        node_reader: returns the stored hash of (level, index).
    """

    def peaks() -> Iterator[bytes]:
        position = start
        while position < end:
            level = (end - position).bit_length() - 1
            yield node_reader(level, position >> level)
            position += 1 << level

    return fold_peaks(peaks())


def inclusion_proof(index: int, size: int, node_reader: NodeReader) -> tuple[bytes, ...]:
    """Return the audit path of a leaf in the tree of the first `size` leaves, from the leaf upwards.

    Raises:
        TreeRangeError: the leaf is not among the first `size`.

    Cost: O(log² size) reads.
    Source: RFC 6962, 2.1.1.
    """
    if not 0 <= index < size:
        raise TreeRangeError("index: the tree of this size has no such leaf")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree_root(middle, end, node_reader))
            end = middle
        else:
            path.append(subtree_root(start, middle, node_reader))
            start = middle
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash stands at `index` in the tree of `size` leaves with this root.

    Raises:
        InclusionBrokenError: it does not.

    Source: RFC 9162, 2.1.3.2; its step numbers stand at the code.
    """
    broken = InclusionBrokenError("proof: the entry is not in the signed tree; raise the alarm")
    if not 0 <= index < size:  # 1
        raise broken
    position, last, digest = index, size - 1, leaf  # 2, 3
    for sibling in proof:  # 4
        if not last:
            raise broken
        if position & 1 or position == last:
            digest = node_hash(sibling, digest)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            digest = node_hash(digest, sibling)
        position, last = position >> 1, last >> 1
    if last or digest != root:  # 5
        raise broken


def consistency_proof(earlier: int, later: int, node_reader: NodeReader) -> tuple[bytes, ...]:
    """Return the proof that the tree of `later` leaves begins with that of `earlier` leaves.

    Raises:
        TreeRangeError: `earlier` is not between 0 and `later`.

    Cost: O(log² later) reads.
    Source: RFC 6962, 2.1.2; empty where `earlier` is 0 or both are the same.
    """
    if not 0 <= earlier <= later:
        raise TreeRangeError("earlier: give a size between 0 and the later size")
    if earlier in {0, later}:
        return ()
    path: list[bytes] = []
    start, end = 0, later
    while end != earlier:
        middle = start + _split(end - start)
        if earlier <= middle:
            path.append(subtree_root(middle, end, node_reader))
            end = middle
        else:
            path.append(subtree_root(start, middle, node_reader))
            start = middle
    if start:  # the verifier knows the earlier root itself where it is one complete subtree
        path.append(subtree_root(start, end, node_reader))
    return tuple(reversed(path))


def verify_consistency(
    *, earlier: int, later: int, proof: Sequence[bytes], earlier_root: bytes, later_root: bytes
) -> None:
    """Check that the later tree begins with the earlier one.

    Raises:
        ConsistencyBrokenError: it does not.

    Source: RFC 9162, 2.1.4.2; its step numbers stand at the code.
    """
    if not 0 <= earlier <= later:
        raise _rewritten()
    if earlier in {0, later}:  # not part of the RFC's procedure: the answer needs no proof
        _verify_without_proof(earlier, later, proof, earlier_root, later_root)
        return
    hashes = list(proof)
    if earlier & (earlier - 1) == 0:  # 2
        hashes.insert(0, earlier_root)
    if not hashes:  # 1; step 3 is in the arguments below
        raise _rewritten()
    if _fold_twice(hashes, earlier - 1, later - 1) != (earlier_root, later_root):  # 7
        raise _rewritten()


def _fold_twice(hashes: Sequence[bytes], position: int, last: int) -> tuple[bytes, bytes]:
    """Return the two roots that a proof leads to, from the last leaves of both trees upwards."""
    while position & 1:  # 4
        position, last = position >> 1, last >> 1
    first = second = hashes[0]  # 5
    for digest in hashes[1:]:  # 6
        if not last:
            raise _rewritten()
        if position & 1 or position == last:
            first, second = node_hash(digest, first), node_hash(digest, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, digest)
        position, last = position >> 1, last >> 1
    if last:
        raise _rewritten()
    return first, second


def _verify_without_proof(
    earlier: int, later: int, proof: Sequence[bytes], earlier_root: bytes, later_root: bytes
) -> None:
    """Check the two cases in which the roots alone tell: an empty beginning, and no growth."""
    expected = EMPTY_ROOT if earlier == 0 else later_root
    if proof or earlier_root != expected or (later == 0 and later_root != EMPTY_ROOT):
        raise _rewritten()


def _rewritten() -> ConsistencyBrokenError:
    return ConsistencyBrokenError("proof: the log was rewritten below the earlier signed tree; raise the alarm")
