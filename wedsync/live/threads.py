"""The database threads of live channels: separate from those of webhooks, heartbeats and pages, and from each other."""

from wedsync.database.threads import DatabaseThreads

new_entries = DatabaseThreads(1, "live-new-entries")
"""Reads the new entries of followed channels."""
replays = DatabaseThreads(1, "live-replays")
"""Reads what single sockets have missed."""
entrance = DatabaseThreads(2, "live-entrance")
"""Tickets, sessions, rights and positions of channels."""
