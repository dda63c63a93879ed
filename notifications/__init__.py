"""Who is told of an event, when and how."""
