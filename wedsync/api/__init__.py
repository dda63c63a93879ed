"""Endpoints for clients, and their errors."""
