"""News that wait for each other and go as one message."""
