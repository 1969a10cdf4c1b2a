"""Reading and rewriting a lender's own systems: PostgreSQL, files."""
