"""Runs controls, gathers evidence, judges, reports."""
