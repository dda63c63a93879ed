"""WebSocket clients without a library, which may send anything, and read as little as they like."""

import json
import socket as sockets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.asyncapi import check_any
from tests.live.world import World

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


def masked(opcode: int, text: bytes, *, first: int = 0x80) -> bytes:
    """A client's frame (RFC 6455, 5.2), with a mask that changes nothing. ``first``: the bits above the opcode."""
    if len(text) < 126:
        length = bytes((0x80 | len(text),))
    elif len(text) < 65_536:
        length = bytes((0x80 | 126,)) + len(text).to_bytes(2)
    else:
        length = bytes((0x80 | 127,)) + len(text).to_bytes(8)
    return bytes((first | opcode,)) + length + bytes(4) + text


def asked(**request: Any) -> bytes:
    """A request's frame."""
    return masked(TEXT, json.dumps(request).encode())


def slow(port: int) -> sockets.socket:
    """A connection with a small buffer for what it is sent."""
    made = sockets.socket()
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 8192)
    made.connect(("127.0.0.1", port))
    return made


@contextmanager
def raw(world: World, port: int | None = None) -> Iterator[sockets.socket]:
    """A connection after its handshake, which nobody reads for us. ``port``: of another web process."""
    with slow(port or world.product.port) as made:
        made.sendall(
            f"GET /ws/channels/?ticket={world.ticket()} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in made.recv(4096)
        yield made


@dataclass
class Heard:
    """What a connection was sent until it ended. ``code``: of the close frame; ``None``: there was none."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None

    @property
    def errors(self) -> list[str]:
        return [frame["error"]["code"] for frame in self.frames if not frame.get("ok", True)]


def heard(connection: sockets.socket, *, most: int = 10**9, seconds: float = 10) -> Heard:
    """Read frames until the connection ends, or until there are so many."""
    connection.settimeout(seconds)
    found, buffer = Heard(), b""
    while len(found.frames) < most and found.code is None:
        try:
            piece = connection.recv(65_536)
        except ConnectionResetError:
            piece = b""
        buffer += piece
        while (frame := _frame(buffer)) is not None:
            opcode, content, buffer = frame
            if opcode == TEXT:
                found.frames.append(json.loads(content))
                check_any(found.frames[-1])
            elif opcode == CLOSE:
                found.code = int.from_bytes(content[:2])
        if not piece:
            break
    return found


def _frame(buffer: bytes) -> tuple[int, bytes, bytes] | None:
    """The first frame's opcode and content, and what follows it; ``None``: it is not whole yet."""
    if len(buffer) < 2:
        return None
    length, start = buffer[1], 2
    if length >= 126:
        start = 4 if length == 126 else 10
        length = int.from_bytes(buffer[2:start])
    if len(buffer) < start + length:
        return None
    return buffer[0] & 0xF, buffer[start : start + length], buffer[start + length :]
