"""Endpoints of incidents, notifications and preferences."""
