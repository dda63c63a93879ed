"""uvicorn's HTTP protocol with a deadline and a limit for the headers of a request.

uvicorn itself only limits how long a connection is idle after an answer (docs/adr/0095). Bodies have limits of their
own (:mod:`wedsync.web.request_bodies`).
"""

import asyncio
from http import HTTPStatus

from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MOST_BYTES = 64 * 1024  # of a request's line and headers
_SOON = 0.001  # seconds; uvloop's clock may be slightly before the time that a timer was set for


class HttpProtocol(HttpToolsProtocol):
    """One connection, until it is upgraded or closed.

    It has one timer at most, which checks again when it fires, since a timer for each request would cost more.
    """

    _has_headers = False  # of the request that is arriving, or that has arrived last
    _waits_since: float | None = None
    _received = 0  # bytes, while it waits
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of the headers, if these bytes begin a request."""
        if self._waits_since is None and not self._has_headers:
            self._wait()
        super().data_received(data)
        if self._waits_since is not None:
            self._received += len(data)
            if self._received > MOST_BYTES:
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Stop waiting."""
        self._waits_since, self._has_headers = None, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """From now on, bytes belong to the next request."""
        self._has_headers = False
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the WebSocket protocol."""
        self._stop()
        super().handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # it refers to its owner

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waits_since, self._received = self.loop.time(), 0
        if self._timer is None:
            self._timer = self.loop.call_later(settings.REQUEST_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        if self._waits_since is None or self.transport.is_closing():
            return
        left = self._waits_since + settings.REQUEST_SECONDS - self.loop.time()
        if self.cycle is not None and not self.cycle.response_complete:  # the request before is still being answered
            left = settings.REQUEST_SECONDS
        if left > _SOON:
            self._timer = self.loop.call_later(left, self._look)
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _refuse(self, status: HTTPStatus) -> None:
        """Close the connection; a client that has begun a request is told why."""
        self._stop()
        if self._received and not self.transport.is_closing():
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    def _stop(self) -> None:
        self._waits_since = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
