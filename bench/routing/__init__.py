"""The cost of matching an event among few and among many routes."""
