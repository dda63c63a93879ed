"""Other sides that misbehave: raw sockets on 127.0.0.1, each connection played in a thread of its own."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Play = Callable[[socket.socket, "Peer"], None]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """Plays the same part on every connection until the test is over."""

    def __init__(self, play: Play, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._play, self._tls = play, tls
        self._server = socket.create_server((host, port))
        self.port = int(self._server.getsockname()[1])
        self.over = threading.Event()
        self.connections = 0
        self.requests: list[bytes] = []
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Plain http, by address."""
        return f"http://127.0.0.1:{self.port}/hook"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                if self.over.wait(0.01):
                    return
                continue  # a test may have left no file for it
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            if self._tls:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._open.append(secured)
                    self._play(secured, self)
            else:
                self._play(connection, self)

    def close(self) -> None:
        """End every part that is still played."""
        self.over.set()
        for sock in (self._server, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in self._threads:
            thread.join(10)


@contextmanager
def peer(play: Play, **how: object) -> Iterator[Peer]:
    """A peer for the length of the block."""
    made = Peer(play, **how)  # type: ignore[arg-type]
    try:
        yield made
    finally:
        made.close()


def take_request(connection: socket.socket, there: Peer) -> bytes:
    """Read one whole request and note it; empty when the caller has closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(body) < int(lengths[0]):
        body += connection.recv(65536)
    there.requests.append(head + b"\r\n\r\n" + body)
    return there.requests[-1]


def answering(answer: bytes = OK) -> Play:
    """Answer each request of a kept connection with the same bytes."""

    def play(connection: socket.socket, there: Peer) -> None:
        while take_request(connection, there):
            connection.sendall(answer)

    return play


def dripping(start: bytes, drop: bytes) -> Play:
    """Begin an answer, then add a little of it for ever."""

    def play(connection: socket.socket, there: Peer) -> None:
        take_request(connection, there)
        connection.sendall(start)
        while not there.over.wait(0.02):
            connection.sendall(drop)

    return play
