"""The tree behind the audit log: RFC 6962 in shape, SM3 in substance."""

from kuimen.kernels.merkle.errors import (
    ConsistencyBrokenError,
    DigestLengthError,
    FrontierBytesError,
    InclusionBrokenError,
    TreeRangeError,
)
from kuimen.kernels.merkle.frontier import Frontier, NodeRun
from kuimen.kernels.merkle.hashes import EMPTY_ROOT, HASH_BYTES, fold_peaks, leaf_hash, node_hash
from kuimen.kernels.merkle.proofs import (
    NodeReader,
    consistency_proof,
    inclusion_proof,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "ConsistencyBrokenError",
    "DigestLengthError",
    "Frontier",
    "FrontierBytesError",
    "InclusionBrokenError",
    "NodeReader",
    "NodeRun",
    "TreeRangeError",
    "consistency_proof",
    "fold_peaks",
    "inclusion_proof",
    "leaf_hash",
    "node_hash",
    "subtree_root",
    "verify_consistency",
    "verify_inclusion",
]
