"""What every floor stands on: errors, sealed values, the clock, identifiers. Standard library only."""
