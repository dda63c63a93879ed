"""How soon a committed event reaches many sockets, beside a bare WebSocket server and Channels' own way."""
