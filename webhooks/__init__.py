"""Inbound requests: vendors' events and providers' callbacks."""
