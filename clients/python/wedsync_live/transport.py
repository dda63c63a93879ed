"""Which transport is tried next: a WebSocket, or a stream where a proxy breaks those."""

import time

FIRST_OF_OURS = 3000
PATIENT = 3  # silent attempts, if a socket came through before: it may be the server that is away


class Transport:
    """Decides after each connection. Arguments: ``seconds``: how long streams are kept to where they were needed."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._silent_attempts = 0
        self._socket_came_through = False
        self._until: float | None = None
        self.streams = False

    def after(self, *, tried: bool, spoke: bool, code: int | None) -> bool:
        """Whether the other transport is to be tried at once.

        Arguments:
            tried: there was a ticket, so that the connection itself was tried.
            spoke: the server said something over it.
            code: with which it was closed.
        """
        streamed = self.streams
        if tried and not spoke and (code is None or code < FIRST_OF_OURS):
            self._silent_attempts += 1
            self.streams = not streamed and self._silent_attempts >= (PATIENT if self._socket_came_through else 1)
            return self.streams
        self._silent_attempts = 0
        now = time.monotonic()
        if spoke and not streamed:
            self._socket_came_through = True
        elif spoke and self._until is None:
            self._until = now + self._seconds
        if self._until is not None and now > self._until:
            self.streams, self._until = False, None
        return False
