"""One installation: home folder, embedded PostgreSQL, settings, unlocking."""
