"""Middleware for every page and endpoint: trailing slashes, browser policies, refusals, the sign-in guard."""
