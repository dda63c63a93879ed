"""Admin of receipts, and of connections with the use of their secrets."""

from webhooks.admin import connections, receipts

__all__ = ["connections", "receipts"]  # imported for their registrations
