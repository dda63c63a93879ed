"""Who follows a channel now, in all web processes together."""
