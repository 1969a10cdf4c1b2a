"""Change a live table of an application over to sealed columns of its own, while the application goes on writing."""
