"""Post-loan collection: cases, assignment, challenge, reveal."""
