"""What we read from other systems: clients that changed, free days."""
