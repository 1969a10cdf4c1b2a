"""The kuimen command."""
