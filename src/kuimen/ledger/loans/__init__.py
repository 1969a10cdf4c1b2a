"""Facilities, loans, schedules, transactions, import with reconciled totals."""
