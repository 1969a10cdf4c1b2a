"""Repayment schedules to the cent."""
