"""Connected systems and connections: their state, credentials and secrets."""
