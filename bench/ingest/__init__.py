"""How many signed webhooks a second the receiver takes, beside servers that do much less."""
