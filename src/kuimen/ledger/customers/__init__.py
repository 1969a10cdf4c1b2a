"""Customers by reference."""
