"""Rows: what ties the sealed fields of one source row to each other, and how a rolled back one is found."""
