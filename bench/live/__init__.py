"""How soon a committed event reaches many sockets, compared with a bare WebSocket server and stock Channels."""
