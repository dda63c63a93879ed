"""What events do to weddings, and the events that weddings make themselves."""
