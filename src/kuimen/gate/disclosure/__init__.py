"""The only way out for a value."""
