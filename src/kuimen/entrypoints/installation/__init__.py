"""One installation: its home folder, its PostgreSQL, its settings, and how it comes to life."""
