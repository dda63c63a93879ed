"""Systems, connections, routes, and deliveries."""
