"""Endpoints of weddings: read and change one, fill in a form, reach a milestone."""
