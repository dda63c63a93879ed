"""The language of templates that staff may write, and its filters."""
