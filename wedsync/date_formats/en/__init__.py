"""Formats for English, the language of our pages."""
