"""The client for asyncio."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from .feed import Feed
from .messages import Refused, State
from .tickets import Tickets
from .times import Times

Load = Callable[[], "Mapping[str, Any] | Awaitable[Mapping[str, Any] | None] | None"]


class AsyncLive:
    """Follows channels.

    Arguments:
        ticket: a function or coroutine function that gets a ticket for one connection; it may raise ``Ended``.
        times: how long things may take.
    """

    def __init__(self, ticket: Tickets, *, times: Times | None = None) -> None:
        self._ticket, self._times = ticket, times or Times()

    def follow(
        self,
        channels: Iterable[str],
        *,
        load: Load | None = None,
        live: Mapping[str, Any] | None = None,
        on_state: Callable[[State], None] | None = None,
        on_refused: Callable[[Refused], None] | None = None,
    ) -> Feed:
        """The events of these channels, once and in order, for ``async for``. It connects when it is iterated.

        Arguments:
            load: loads the current state, at the start and whenever events were missed for good. Returns an answer of
                the API that has positions under ``live``; the events after these follow.
            live: positions of a state that is loaded already.
            on_state: told how the connection is doing.
            on_refused: told of a channel that cannot be followed; by default this is raised and ends the iteration.

        Raises, while it is iterated:
            Ended: the server will not let this client in again.
            Refused: a channel cannot be followed, or (``unrecoverable``, without ``load``) missed events are gone.
        """
        return Feed(self._ticket, self._times, channels, load, live, on_state, on_refused)
