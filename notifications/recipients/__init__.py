"""The people that a route stands for, and whether each may still be written to."""
