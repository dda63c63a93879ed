"""HTTP/1.1 over a bare socket, for what no well-behaved client does."""

import io
import json
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> tuple[int, str]:
        assert self.headers["content-type"] == "application/problem+json"
        return self.status, str(self.json["type"]).removeprefix("/problems/")


class _Kept(io.BufferedReader):
    """Stays open after an answer's end, since it may have read the beginning of the next answer already."""

    def close(self) -> None:
        pass


class RawConnection:
    """One connection. ``patience``: seconds that it waits for bytes; ``buffer``: bytes that it lets the peer send."""

    def __init__(self, port: int, *, patience: float = 15, buffer: int | None = None, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(patience)
        self.socket.connect((host, port))
        self._arriving = _Kept(socket.SocketIO(self.socket, "r"))

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What an :class:`HTTPResponse` reads from: the same for each answer of the connection."""
        return self._arriving

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def ask(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        """Send the head, and this much of a body."""
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in (headers or {}).items())]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def answer(self, method: str = "GET") -> Answer:
        found = HTTPResponse(self, method=method)  # type: ignore[arg-type]  # it only needs makefile()
        found.begin()
        return Answer(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())

    def is_closed_by_peer(self) -> bool:
        """Waits for the end; whatever still comes is dropped."""
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True
        return True


def chunked(pieces: Iterable[bytes]) -> bytes:
    """The pieces in the coding of chunks, with the end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
