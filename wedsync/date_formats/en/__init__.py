"""For the language that our pages speak."""
