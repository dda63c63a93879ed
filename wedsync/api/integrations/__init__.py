"""Endpoints that configure and operate integrations."""
