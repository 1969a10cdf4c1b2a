"""Moving a source into the vault, scrubbing it, proving nothing is left."""
