"""uvicorn's WebSocket protocol, extended: frames that many sockets share, and sockets that need no task while idle.

``wedsync.web.server`` names it, and the socket's ASGI application finds it in ``scope["extensions"]``. It offers
what ASGI has no message for: the number of unsent bytes, writing without waiting, and ending a connection whose client
reads nothing. After ``hand_over`` the application may return; each message is then answered by a task of its own.
"""

import asyncio
import contextvars
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame

from wedsync.live.close_codes import ABNORMAL, CloseCode
from wedsync.live.fan_out.subscriptions import MOST_UNSENT
from wedsync.web.direct_writes import DirectWrites

log = structlog.get_logger(__name__)
EXTENSION = "wedsync.socket"
CLOSING_SECONDS = 5.0  # for the client's answer to a closing handshake
MOST_DROPPED = 32 * 1024 * 1024  # bytes that a client may still send after a frame that cannot be read
LAST_SECONDS = 1.0  # of a process, for what clients have not read


class Holder(Protocol):
    """Answers a connection's messages once it is accepted."""

    async def answer(self, text: str) -> None:
        """A message has arrived; the next one waits until this one is answered."""

    def ended(self) -> None:
        """The connection is gone."""


class SocketProtocol(DirectWrites, WebSocketsSansIOProtocol):
    """One connection."""

    _holder: Holder | None = None
    _context: contextvars.Context | None = None
    _answering: asyncio.Task[None] | None = None
    _dropped: int | None = None  # bytes, once nothing is read any more

    def connection_made(self, transport: BaseTransport) -> None:
        """Limit what the kernel buffers for this client."""
        super().connection_made(transport)
        self._when_lost: list[Callable[[], None]] = []
        self.limit_send_buffer()

    async def run_asgi(self) -> None:
        """Let the application accept or refuse, like the parent class, but it may also hand the connection over."""
        extensions: dict[str, Any] = {**(self.scope["extensions"] or {}), EXTENSION: self}
        self.scope["extensions"] = extensions
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except Exception:
            log.exception("socket_not_served")
            self.send_500_response()
        finally:
            extensions.clear()
        if self._holder is None and self.close_timer is None:
            self.send_500_response()
            self.transport.close()

    def hand_over(self, holder: Holder) -> None:
        """Let the application return; from now on the holder answers. The request's resources are released."""
        self._holder, self._context = holder, contextvars.copy_context()
        del self.request, self.response
        if self.disconnected:
            self._let_go()
        self._answer()

    def when_lost(self, call: Callable[[], None]) -> None:
        """Call back once the connection is gone; immediately if it already is."""
        if self.disconnected:
            call()
        else:
            self._when_lost.append(call)

    def data_received(self, data: bytes) -> None:
        """Read frames, until one cannot be read."""
        if self._dropped is None:
            super().data_received(data)
            if self.conn.handshake_exc is not None and not self.handshake_initiated:
                self._stop_reading()  # the answer says why
        else:
            self._dropped += len(data)
            if self._dropped > MOST_DROPPED:
                self.transport.abort()

    def handle_parser_exception(self) -> None:
        """Say why a frame cannot be read."""
        if self.conn.close_sent is None:  # it came before the handshake was answered
            self.transport.abort()
        else:
            self._stop_reading()

    def _stop_reading(self) -> None:
        """Send what is to be sent, then drop what the client still sends: closing at once would reset its connection.

        The client has a few seconds to read why.
        """
        self._dropped = 0
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.write_eof()
        self.close_sent = True
        self._resume_reading()
        self._cut_off_later()

    def handle_bytes(self, event: Frame) -> None:
        """Refuse a binary message; requests are text."""
        self._end_or_abort(CloseCode.BINARY, "send JSON as text")

    def handle_cont(self, event: Frame) -> None:
        """Keep a fragment of a message; empty ones would never reach the limit of its size."""
        if event.data:
            self.frames.append(bytes(event.data))
        if event.fin:
            self.send_receive_event_to_app()

    def send_receive_event_to_app(self) -> None:
        """A whole message has arrived. The next is not read before this one is taken."""
        data, self.frames = b"".join(self.frames), []
        if self.close_sent:
            return
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self._end_or_abort(CloseCode.NOT_UTF8, "the text is not UTF-8")
            return
        self.queue.put_nowait({"type": "websocket.receive", "text": text})
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        self._answer()

    def _end_or_abort(self, code: CloseCode, reason: str) -> None:
        if self.handshake_complete:
            self.end(code, reason)
        else:
            self.transport.abort()

    def _answer(self) -> None:
        if self._holder and self._answering is None and not self.queue.empty():
            self._answering = self.loop.create_task(self._answer_all(self._holder), context=self._context)

    async def _answer_all(self, holder: Holder) -> None:
        try:
            while not self.queue.empty():
                await self.writable.wait()  # what a client asks without reading the answers waits on its side
                message = await self.receive()
                if message["type"] == "websocket.receive":
                    await holder.answer(message.get("text") or "")
        except Exception:
            log.exception("socket_broken")
            self.end(CloseCode.BROKEN, "a fault of ours")
        finally:
            self._answering = None

    def handle_ping(self) -> None:
        """Answer a ping; a client that pings without end and reads nothing is cut off."""
        pong = b"".join(self.conn.data_to_send())
        self.written += len(pong)
        self.transport.write(pong)
        if self.unsent > MOST_UNSENT:
            self.cut_off(CloseCode.SLOW, "nothing of what waited was read")

    def keepalive_timeout(self) -> None:
        """A client that answers no ping is gone: waiting until it has read everything would hold its memory."""
        self.stop_keepalive()
        if not self.is_open:  # the closing handshake has its own deadline
            return
        log.info("socket_without_pong", unsent=self.unsent)
        self.cut_off(CloseCode.NO_PONG, "pings were not answered")

    def shutdown(self) -> None:
        """Close for the end of the process; a client that reads nothing does not delay it."""
        super().shutdown()
        if self.unsent:
            self.loop.call_later(LAST_SECONDS, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that the connection held."""
        super().connection_lost(exc)
        self.conn.parser.close()
        del self.conn.parser  # a generator that refers to its owner
        self._let_go()
        while self._when_lost:
            self._when_lost.pop()()

    def _let_go(self) -> None:
        holder, self._holder, self._context, self.drained = self._holder, None, None, None
        if holder:
            holder.ended()

    @property
    def is_open(self) -> bool:
        """Whether frames can be written."""
        return self.handshake_complete and not (self.close_sent or self.disconnected or self.transport.is_closing())

    @property
    def close_code(self) -> int:
        """The code by which it was closed, by us or by the client, whoever was first; 1006: it broke."""
        ours, theirs = self.conn.close_sent, self.conn.close_rcvd
        first = theirs if self.conn.close_rcvd_then_sent or ours is None else ours
        return ABNORMAL if first is None else int(first.code)

    def end(self, code: CloseCode, reason: str) -> None:
        """Start the closing handshake, without waiting; the connection is cut off if the client does not answer."""
        if not self.is_open:
            return
        try:
            self.conn.send_close(code, reason)
        except InvalidState:  # the client has closed meanwhile
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self._resume_reading()
        self._cut_off_later()

    def _resume_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _cut_off_later(self) -> None:
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)

    def cut_off(self, code: CloseCode, reason: str) -> None:
        """End immediately, dropping what is unsent: for a client that reads nothing, not even a close frame."""
        self.end(code, reason)
        self.transport.abort()
