"""The database threads of live channels: separate from those of webhooks, heartbeats and pages, and from each other."""

from wedsync.database.threads import DatabaseThreads

new_entries = DatabaseThreads(1, "live-new-entries")
"""Asks which channels have been written to; what is new on them is read by a connection of the event loop."""
replays = DatabaseThreads(1, "live-replays")
"""Reads what single clients have missed."""
requests = DatabaseThreads(2, "live-requests")
"""Carries out what clients write: events, and what people have seen."""
entrance = DatabaseThreads(2, "live-entrance")
"""Tickets, sessions, rights and positions of channels."""
