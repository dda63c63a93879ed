"""The people whom a route reaches, and whether each may still be written to."""
