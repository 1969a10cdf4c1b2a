"""Kuimen 夔门: the data-security platform for internet lending."""
