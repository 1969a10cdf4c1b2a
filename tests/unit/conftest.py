"""Fixtures of the command line's tests: one installation for all of them."""

from fixtures.commands import command_home, odd_lender

__all__ = ["command_home", "odd_lender"]
