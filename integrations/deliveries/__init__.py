"""Rows of deliveries and their states. Nothing here calls anybody."""
