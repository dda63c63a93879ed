"""The log of events, its channels, and the sockets and streams that carry it."""
