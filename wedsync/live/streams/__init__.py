"""Server-Sent Events and the log over HTTP: the same events as on sockets, for networks that let no socket through."""
