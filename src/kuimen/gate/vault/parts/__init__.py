"""Indexes of declared parts of sealed values: what a planner admits, two persons build, and a named grant searches."""
