"""The template language for staff, and its filters."""
