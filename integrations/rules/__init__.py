"""What an event says, how routes test it, and what they make of it. Pure: no rows, no calls."""
