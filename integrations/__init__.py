"""Systems, connections, routes, and the way out."""
