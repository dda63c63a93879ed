"""The client for code without asyncio: the same one, in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from .asynchronous import AsyncLive, Load
from .feed import Feed
from .messages import Event, Position, Refused, State
from .tickets import Tickets
from .times import Times

T = TypeVar("T")


class Live:
    """Follows channels. Arguments: those of ``AsyncLive``."""

    def __init__(self, ticket: Tickets, *, times: Times | None = None) -> None:
        self._live = AsyncLive(ticket, times=times)

    def follow(
        self,
        channels: Iterable[str],
        *,
        load: Load | None = None,
        live: Mapping[str, Any] | None = None,
        on_state: Callable[[State], None] | None = None,
        on_refused: Callable[[Refused], None] | None = None,
    ) -> "SyncFeed":
        """The events of these channels, once and in order, for ``for``. Arguments: those of ``AsyncLive.follow``.

        ``on_state`` and ``on_refused`` are called from the client's thread.
        """
        return SyncFeed(self._live.follow(channels, load=load, live=live, on_state=on_state, on_refused=on_refused))


class SyncFeed:
    """Iterate over it with ``for``; ``close`` ends it, also from another thread."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wedsync-live", daemon=True)
        self._closing = threading.Lock()

    @property
    def positions(self) -> Mapping[str, Position]:
        """The last event of each channel that was handed out."""
        return self._feed.positions

    def __iter__(self) -> Iterator[Event]:
        """The events, until it is closed."""
        self._thread.start()
        try:
            while True:
                try:
                    yield self._run(anext(self._feed))
                except StopAsyncIteration:
                    return
        finally:
            self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def wake(self) -> None:
        """As in ``AsyncLive``: the network is back."""
        self._loop.call_soon_threadsafe(self._feed.wake)

    def request(self, op: str, **fields: Any) -> Mapping[str, Any]:
        """The answer to a request over the connection. Raises ``LiveError``."""
        return self._run(self._feed.request(op, **fields))

    def close(self) -> None:
        """End the iteration and the connection."""
        with self._closing:
            if not self._thread.is_alive():
                return
            self._run(self._feed.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
