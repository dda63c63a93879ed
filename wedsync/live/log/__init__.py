"""Writing and reading the log of events."""
