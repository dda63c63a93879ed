"""Follows WedSync's live channels: every event once, in order. docs/developers/realtime-clients.md.

``Live`` is for ordinary code, ``AsyncLive`` for asyncio, ``tickets_by_key`` gets tickets with an API key.
"""

from .asynchronous import AsyncLive
from .messages import Ended, Event, LiveError, Position, Refused, State, StateName
from .synchronous import Live
from .tickets import tickets_by_key
from .times import Times

__all__ = [
    "AsyncLive",
    "Ended",
    "Event",
    "Live",
    "LiveError",
    "Position",
    "Refused",
    "State",
    "StateName",
    "Times",
    "tickets_by_key",
]
