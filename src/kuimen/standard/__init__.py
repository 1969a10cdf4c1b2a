"""The standards as data: clauses, elements, and the @control decorator."""
