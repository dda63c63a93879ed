"""What the outside world remembers: one SQLite file, one module per kind of data."""
