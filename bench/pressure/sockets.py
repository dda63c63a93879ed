"""WebSocket clients without a library, which may send anything, and read as little as they like."""

import json
import socket as sockets
import struct
from collections import Counter
from types import TracebackType
from typing import Any, Self

from bench.errors import BenchError
from wedsync.runner.ports import LOCAL

CONTINUATION, TEXT, BINARY, CLOSE = 0x0, 0x1, 0x2, 0x8
LAST = 0x80  # the bit of a message's last frame
SECONDS = 30.0  # for the handshake, and for each answer


def masked(opcode: int, content: bytes, *, first: int = LAST) -> bytes:
    """A client's frame (RFC 6455, 5.2), with a mask that changes nothing. ``first``: the bits above the opcode."""
    if len(content) < 126:
        length = bytes((0x80 | len(content),))
    elif len(content) < 65_536:
        length = bytes((0x80 | 126,)) + len(content).to_bytes(2)
    else:
        length = bytes((0x80 | 127,)) + len(content).to_bytes(8)
    return bytes((first | opcode,)) + length + bytes(4) + content


def request(**content: Any) -> bytes:
    """A request's frame."""
    return masked(TEXT, json.dumps(content).encode())


class Connection:
    """A TCP connection to a web process. ``receive_buffer``: bytes that its kernel takes unread."""

    def __init__(self, port: int, *, receive_buffer: int | None = None) -> None:
        self._socket = sockets.socket()
        if receive_buffer:
            self._socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(SECONDS)
        self._socket.connect((LOCAL, port))
        self._buffer = b""

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close it as a program does that ends."""
        self._socket.close()

    def reset(self) -> None:
        """Break it off, as a machine does that has lost its memory of it."""
        self._socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def send(self, content: bytes, seconds: float = SECONDS) -> None:
        """Send bytes; what the other side does not want any more is dropped."""
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(content)
        except (BrokenPipeError, ConnectionResetError):
            return

    def upgrade(self, ticket: str) -> str:
        """Ask for a WebSocket; returns the status of the answer."""
        self.send(
            f"GET /ws/channels/?ticket={ticket} HTTP/1.1\r\nHost: {LOCAL}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            if not self._read():
                return "nothing"
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head.split(b" ")[1].decode()

    def frame(self, seconds: float = SECONDS) -> tuple[int, bytes] | None:
        """The next frame's opcode and content; ``None``: the connection has ended.

        Raises:
            TimeoutError: nothing came for so long.
        """
        self._socket.settimeout(seconds)
        while True:
            length, start = (self._buffer[1], 2) if len(self._buffer) > 1 else (0, 2)
            if length >= 126:
                start = 4 if length == 126 else 10
                length = int.from_bytes(self._buffer[2:start])
            if len(self._buffer) >= start + length:
                found = self._buffer[0] & 0xF, self._buffer[start : start + length]
                self._buffer = self._buffer[start + length :]
                return found
            if not self._read():
                return None

    def rest(self, seconds: float) -> bytes:
        """What comes until the end of the connection, which is not a WebSocket."""
        self._socket.settimeout(seconds)
        while self._read():
            pass
        return self._buffer

    def _read(self) -> bool:
        try:
            piece = self._socket.recv(65_536)
        except ConnectionResetError:
            return False
        self._buffer += piece
        return bool(piece)


def opened(port: int, ticket: str, *, receive_buffer: int | None = None) -> Connection:
    """A WebSocket after its handshake.

    Raises:
        BenchError: it was refused.
    """
    made = Connection(port, receive_buffer=receive_buffer)
    if (status := made.upgrade(ticket)) != "101":
        made.close()
        raise BenchError(f"A socket was answered {status} instead of 101.")
    return made


def answer_of(connection: Connection) -> dict[str, Any]:
    """The next message.

    Raises:
        BenchError: the socket was closed instead.
    """
    found = connection.frame()
    if found is None or found[0] != TEXT:
        raise BenchError(f"A socket was closed: {found}")
    answer: dict[str, Any] = json.loads(found[1])
    return answer


def outcome(connection: Connection, seconds: float) -> str:
    """How a socket ends: its closing code; if it goes on, the code of the last error that it was told."""
    told = "still open"
    try:
        while found := connection.frame(seconds):
            opcode, content = found
            if opcode == CLOSE:
                return str(int.from_bytes(content[:2]))
            told = json.loads(content).get("error", {}).get("code", told) if opcode == TEXT else told
            seconds = seconds if told == "still open" else min(seconds, 2.0)
    except TimeoutError:
        return told
    return "cut off"


def counted(outcomes: Counter[str]) -> str:
    """For a table: ``3010 (500)``."""
    return ", ".join(f"{name} ({count})" for name, count in sorted(outcomes.items()))
