"""Customers by reference, facilities, loans, schedules, transactions."""
