"""How many signed webhooks per second the receiver accepts, compared with servers that do much less."""
