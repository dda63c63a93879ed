"""From a route to the people that it means, and whether each may still be written to."""
