"""Our credentials at other systems: their kinds, their checks, and their removal from texts."""
