"""How a worker sends a delivery: from the task's message to the result of the call."""
