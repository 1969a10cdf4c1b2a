"""The one door: who, for which purpose, on which basis, how shown, and the record of it."""
