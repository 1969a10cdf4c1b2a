"""Background jobs on procrastinate."""
