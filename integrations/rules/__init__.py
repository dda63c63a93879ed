"""What an event says, and what may be asked or made of it. Pure: no rows, no calls."""
