"""What a client follows, and what it is sent: entries that are read and framed once for all clients."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from wedsync.live.access.bearers import Bearer
from wedsync.live.close_codes import CloseCode
from wedsync.live.log.reader import ChannelKey, Entry

MOST_UNSENT = 1024 * 1024  # bytes of one client

Framing = Callable[[Iterable[bytes]], bytes]
"""Turns texts into a transport's bytes."""


class Client(Protocol):
    """A connection that follows channels. Writing never waits; what the client has not read counts as unsent."""

    @property
    def bearer(self) -> Bearer:
        """Who it is."""

    @property
    def framing(self) -> Framing:
        """How its transport frames texts."""

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""

    @property
    def unsent(self) -> int:
        """Bytes that the client has not read yet."""

    def write(self, frames: bytes) -> None:
        """Send whole frames."""

    def when_drained(self, again: Callable[[], None]) -> None:
        """Call back once the client has read nearly everything."""

    def end(self, code: CloseCode, reason: str) -> None:
        """End it; it reconnects, or not, as the code says."""


class Subscription:
    """A client's position in one channel.

    Attributes:
        start, cursor: the sequences before the first and of the last event that were written to the client.
        is_behind: it reads the log in turn, until it has caught up with the others.
        page: how many entries it reads at a time, so that a page is about as large as allowed.
    """

    __slots__ = ("client", "cursor", "ended", "is_behind", "key", "page", "start")

    def __init__(self, client: Client, key: ChannelKey, cursor: int, page: int) -> None:
        self.client, self.key, self.start, self.cursor, self.page = client, key, cursor, cursor, page
        self.is_behind = self.ended = False

    @property
    def is_active(self) -> bool:
        """Whether the client still follows the channel."""
        return not self.ended and self.client.is_open


class Batch:
    """Entries of one channel in order; their bytes are made once per framing and starting point."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.before, self.last = entries[0].sequence - 1, entries[-1].sequence
        self.count = len(entries)
        self._entries = entries
        self._framed: dict[tuple[Framing, int], bytes] = {}

    def after(self, cursor: int, framing: Framing) -> bytes:
        """The entries after a cursor."""
        key = framing, cursor
        if key not in self._framed:
            self._framed[key] = framing(entry.text for entry in self._entries if entry.sequence > cursor)
        return self._framed[key]
