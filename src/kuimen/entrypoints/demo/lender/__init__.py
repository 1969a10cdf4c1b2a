"""The demo lender: a plain-text core database of real loans and invented people."""

from kuimen.entrypoints.demo.lender.build import LenderSummary, create_lender

__all__ = ["LenderSummary", "create_lender"]
