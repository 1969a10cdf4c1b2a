"""The audit log: entries, sequencer, checkpoints, proofs."""
