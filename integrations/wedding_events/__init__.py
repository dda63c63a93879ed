"""How events change weddings, and the events that changes of a wedding publish."""
