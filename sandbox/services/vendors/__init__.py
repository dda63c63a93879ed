"""The vendors' systems: calls that change records, and calls that read them."""
