"""uvicorn's HTTP protocol, extended: an answer without an end, which needs no task while nothing happens.

``wedsync.web.server`` names it. An ASGI application finds a weak reference to it in ``scope["extensions"]``. It
offers what ASGI has no message for: writing without waiting, the number of unsent bytes, and an answer that goes on
after the application has returned (docs/adr/0104).
"""

import weakref
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from wedsync.live.close_codes import CloseCode
from wedsync.web.direct_writes import DirectWrites
from wedsync.web.http_protocol import HttpProtocol

EXTENSION = "wedsync.stream"
CLOSING_SECONDS = 5.0  # for what an ended stream has not sent yet
LAST_CHUNK = b"0\r\n\r\n"
_KEEP_CHUNKED, _UNCHUNKED = None, False


class Holder(Protocol):
    """Writes an answer that was handed over."""

    close_code: int

    def ended(self) -> None:
        """The connection is gone."""


class StreamProtocol(DirectWrites, HttpProtocol):
    """One connection, whose current answer may be handed over to a :class:`Holder`."""

    _holder: Holder | None = None
    _held: RequestResponseCycle | None = None

    def on_headers_complete(self) -> None:
        """A request has arrived: let its application find this connection."""
        super().on_headers_complete()
        self.scope["extensions"] = {EXTENSION: weakref.ref(self)}  # type: ignore[dict-item]

    def prepare(self, scope: Any) -> bool:
        """Call this before an answer without an end is started; ``False``: further requests have been sent already.

        HTTP/1.0 has no chunks, so its clients get the bytes as they are, until the connection is closed.
        """
        if self.cycle.scope is not scope:
            return False
        self.cycle.chunked_encoding = _UNCHUNKED if scope["http_version"] == "1.0" else _KEEP_CHUNKED
        return True

    def hand_over(self, holder: Holder) -> None:
        """Let the application return after it has started the answer; the holder writes the rest of it."""
        held = self.cycle
        self._holder, self._held = holder, held
        self.written, was_lost = 0, held.disconnected
        held.disconnected = True  # for its task, which ends
        if self.scope is held.scope:  # and not already that of a further request
            self.scope = self.headers = None  # type: ignore[assignment]
        held.scope = None  # type: ignore[assignment]
        self.limit_send_buffer()
        if was_lost:
            self._let_go()

    @property
    def is_open(self) -> bool:
        """Whether a handed-over answer can be written."""
        return self._holder is not None and not self.transport.is_closing()

    @property
    def is_chunked(self) -> bool:
        """Whether what is written must consist of whole chunks (RFC 9112, 7.1)."""
        return bool(self._held and self._held.chunked_encoding)

    def finish(self, *, keep: bool = True) -> None:
        """Complete the answer. ``keep``: the connection serves the client's next request, if it can."""
        held = self._held
        if held is None or not self.is_open:
            return
        if held.chunked_encoding:
            self.write_frames(LAST_CHUNK)
        self._let_go()
        held.response_complete = True
        if keep and held.keep_alive and held.chunked_encoding and not self.unsent:
            self.on_response_complete()
        else:
            self.transport.close()
            self.loop.call_later(CLOSING_SECONDS, self.transport.abort)

    def cut_off(self, code: CloseCode, reason: str) -> None:
        """End immediately, dropping what is unsent: for a client that reads nothing."""
        if self._holder:
            self._holder.close_code = code
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that the answer held."""
        super().connection_lost(exc)
        self._let_go()

    def _let_go(self) -> None:
        holder, self._holder, self._held, self.drained = self._holder, None, None, None
        if holder:
            holder.ended()
