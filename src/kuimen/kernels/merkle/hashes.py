"""The three hashes of the tree: RFC 6962, 2.1, with SM3 in place of SHA-256.

The first byte tells leaves from nodes, so that no node can be passed off as a leaf.
"""

from collections.abc import Iterable

from kuimen.kernels.ciphers.digests import DIGEST_BYTES, new_sm3, sm3

HASH_BYTES = DIGEST_BYTES
LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"
EMPTY_ROOT = sm3(b"")

_NODE = new_sm3(NODE_PREFIX)


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one entry: SM3(0x00 ‖ data)."""
    return sm3(LEAF_PREFIX + data)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SM3(0x01 ‖ left ‖ right)."""
    state = _NODE.copy()
    state.update(left + right)
    return state.digest()


def fold_peaks(peaks: Iterable[bytes]) -> bytes:
    """Join the roots of complete subtrees, largest first, into one root."""
    root: bytes | None = None
    for peak in reversed(list(peaks)):
        root = peak if root is None else node_hash(peak, root)
    return EMPTY_ROOT if root is None else root
