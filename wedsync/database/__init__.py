"""PostgreSQL: its connections and sessions, statements that are prepared, batched or pruned, and its errors."""
