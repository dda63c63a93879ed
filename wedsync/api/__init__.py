"""Endpoints for clients, and how they refuse."""
