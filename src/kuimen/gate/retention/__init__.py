"""Clocks, erasure, its ledger and its certificates."""
