"""The WebSocket transport: who may open a socket, and what it sends."""
