"""The Merkle tree of the audit log."""
