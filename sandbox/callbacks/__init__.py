"""Signed callbacks to the product, and how they are disturbed."""
