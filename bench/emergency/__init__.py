"""Plays the emergency story on a whole running copy, while thousands of ordinary messages wait."""
