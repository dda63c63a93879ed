"""Vendors' events: received, checked, stored; and the handling of those that are refused."""
