"""Faults on demand: which are active, and how they spoil answers."""
