"""Keys: root, domain, person, table, index, signing."""
