"""Admin of receipts and providers' notices, and of connections with their secrets."""

from webhooks.admin import connections, notices, receipts

__all__ = ["connections", "notices", "receipts"]  # imported for their registrations
