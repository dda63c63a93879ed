"""What ASGI has no message for: writing without waiting, and how much of it a client has not read."""

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable

SEND_BUFFER = 128 * 1024  # bytes that the kernel buffers for a client; what it has not accepted counts as unsent


class DirectWrites(ABC):
    """A part of uvicorn's protocols, whose connections are written to from outside their applications."""

    transport: asyncio.Transport
    written = 0  # bytes
    drained: Callable[[], None] | None = None
    """Called when the unsent bytes have been sent, for a client that waits for that."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether anything can be written."""

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
        super().resume_writing()  # type: ignore[misc]  # of uvicorn's protocol
        if self.drained:
            self.drained()

    def limit_send_buffer(self) -> None:
        """Limit what the kernel buffers for this client."""
        found: socket.socket | None = self.transport.get_extra_info("socket")
        if found is not None and not self.transport.is_closing():
            found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
