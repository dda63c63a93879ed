"""Settings, processes, and what all apps share."""
