"""Signed calls back to the product, and what disturbs them on their way."""
