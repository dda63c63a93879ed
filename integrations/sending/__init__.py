"""A worker's way with a claimed delivery, from the message to what came of the call."""
