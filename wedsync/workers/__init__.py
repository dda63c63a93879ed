"""Keeps Celery workers connected to their broker."""
