"""The log of events, its channels, and the sockets that show it."""
