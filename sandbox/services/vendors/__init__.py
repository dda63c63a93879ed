"""The vendors' systems: calls that change something, and what they can be asked."""
