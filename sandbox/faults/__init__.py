"""Faults on demand: which is active, and how it spoils an answer."""
