"""Endpoints of live channels."""
