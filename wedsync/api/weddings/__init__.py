"""Endpoints of weddings: read and change one, submit a form, report a milestone."""
