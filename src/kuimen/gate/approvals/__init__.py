"""Four eyes: maker, checker, single use."""
