"""Reading from other systems: changed clients, free days."""
