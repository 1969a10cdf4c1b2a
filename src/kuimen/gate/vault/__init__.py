"""Sealed values and their blind indexes."""
