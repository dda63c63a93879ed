"""Validation of requests: bodies, filters and pages of lists."""
