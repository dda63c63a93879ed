"""A socket for `smtplib` that keeps one deadline for all its reads and writes.

A socket's own time-out restarts with each read, so a server that sends a byte now and then would block a thread
forever. docs/adr/0085.
"""

import io
import socket
import ssl
import time
from typing import Any

from integrations.outbound.connections import secure

MOST_RECEIVED = 64 * 1024


class DeadlinePassed(Exception):
    """The deadline passed. Not an ``OSError``, since `smtplib` reports each of those as a lost connection."""


class TimedSocket:
    """What `smtplib` uses of a socket. ``ends``: seconds of the monotonic clock; ``received``: bytes so far."""

    def __init__(self, sock: socket.socket, ends: float, received: int = 0) -> None:
        self._sock, self._ends, self._received = sock, ends, received

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        rest = memoryview(data)
        while rest:
            self._bound()
            try:
                rest = rest[self._sock.send(rest) :]
            except TimeoutError as error:
                raise DeadlinePassed from error

    def receive_into(self, buffer: Any) -> int:
        """Wait for the next bytes; 0: the other side has closed the connection.

        Raises:
            ConnectionError: it has sent more than 64 KiB.
        """
        self._bound()
        try:
            count = self._sock.recv_into(buffer)
        except TimeoutError as error:
            raise DeadlinePassed from error
        self._received += count
        if self._received > MOST_RECEIVED:
            raise ConnectionError("the server does not stop talking")
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """For reading."""
        return io.BufferedReader(_Reader(self))

    def secured(self, host: str, context: ssl.SSLContext) -> "TimedSocket":
        """The same connection inside TLS.

        Raises:
            NetworkError: the server speaks no TLS, or its certificate is not accepted.
        """
        return TimedSocket(secure(self._sock, host, self._ends, context), self._ends, self._received)

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()

    def _bound(self) -> None:
        """Limit the next read or write to the time left."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise DeadlinePassed
        self._sock.settimeout(left)


class _Reader(io.RawIOBase):
    def __init__(self, sock: TimedSocket) -> None:
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._sock.receive_into(buffer)
