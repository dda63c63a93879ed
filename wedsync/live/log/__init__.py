"""Writes and reads the log of events."""
