"""Settings, processes, and what all rooms share."""
