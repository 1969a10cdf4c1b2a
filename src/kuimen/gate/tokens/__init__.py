"""Tokens: what a partner or a system holds instead of an account or card number."""
