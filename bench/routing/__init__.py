"""What matching an event costs among few routes and among many."""
