"""PostgreSQL: connections and sessions, prepared and batched statements, pruning, and errors."""
