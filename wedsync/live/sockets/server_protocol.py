"""uvicorn's WebSocket protocol with additions: frames that many sockets share are written unchanged.

Named in the Procfile by ``--ws``. The socket's ASGI application finds it in ``scope["extensions"]``, and uses it for
what ASGI has no messages for: to see how much is unsent, to write without waiting, and to end a connection whose client
reads nothing.
"""

import socket
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

EXTENSION = "wedsync.socket"
SEND_BUFFER = 128 * 1024  # bytes that the kernel buffers for a client; what it has not accepted counts as unsent
CLOSING_SECONDS = 5.0  # for the client's answer to a closing handshake


class SocketProtocol(WebSocketsSansIOProtocol):
    """One connection."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Limit what the kernel buffers for this client."""
        super().connection_made(transport)
        self.written = 0
        found: Any = transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    async def run_asgi(self) -> None:
        """Let the application find this connection."""
        extensions: dict[str, Any] = {**(self.scope["extensions"] or {}), EXTENSION: self}
        self.scope["extensions"] = extensions
        try:
            await super().run_asgi()
        finally:
            extensions.clear()
            self.drained = None

    drained: Callable[[], None] | None = None
    """Called when the unsent bytes have been sent, for a socket that waits for that."""

    @property
    def is_open(self) -> bool:
        """Whether frames can be written."""
        return self.handshake_complete and not (self.close_sent or self.disconnected or self.transport.is_closing())

    @property
    def unsent(self) -> int:
        """Bytes written that the kernel has not accepted yet."""
        return self.transport.get_write_buffer_size()

    @property
    def taken(self) -> int:
        """Bytes that the kernel has accepted since the start."""
        return self.written - self.unsent

    def write_frames(self, frames: bytes) -> None:
        """Send whole frames unchanged, without waiting; nothing if the connection is closing."""
        if self.is_open:
            self.written += len(frames)
            self.transport.write(frames)

    def resume_writing(self) -> None:
        """Called by the transport when its buffer has nearly emptied."""
        super().resume_writing()
        if self.drained:
            self.drained()

    def end(self, code: int, reason: str) -> None:
        """Start the closing handshake, without waiting; the connection is cut off if the client does not answer."""
        if not self.is_open:
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        try:
            self.conn.send_close(code, reason)
        except InvalidState:  # the client has closed meanwhile
            return
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(CLOSING_SECONDS, self.transport.abort)

    def cut_off(self, code: int, reason: str) -> None:
        """End immediately, dropping what is unsent: for a client that reads nothing, not even a close frame."""
        self.end(code, reason)
        self.transport.abort()
