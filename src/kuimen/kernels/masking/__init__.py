"""Masks per element."""
