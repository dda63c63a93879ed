"""What the outside world remembers: one SQLite file, one module per thing remembered."""
