"""A network between a client and the product: it can go away without a word, and its proxies can be bad ones."""

import contextlib
import random
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_END_OF_HEAD = b"\r\n\r\n"
_NO_UPGRADE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_KEPT = re.compile(rb"^connection: keep-alive", re.IGNORECASE | re.MULTILINE)
_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/%s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"


@dataclass
class Way:
    """One connection. ``dead``: nothing comes through any more, and nobody is told."""

    near: socket.socket
    far: socket.socket | None = None
    dead: bool = False


class Network:
    """Listens on a port of this machine and passes bytes on to another one."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._ways: list[Way] = []
        self._is_up = True
        self.refuses_upgrade = self.swallows_frames = self.buffers = False
        self.upgrades = 0
        self.pages: dict[str, str] = {}
        """Answered here, by path: pages of a test's own, which a browser takes for the product's."""
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def go_away(self) -> None:
        """Every connection is dead for ever, and new ones get no answer."""
        self._is_up = False
        self.forget_connections()

    def come_back(self) -> None:
        """New connections are served; what was opened meanwhile stays dead."""
        self.forget_connections()
        self._is_up = True

    def forget_connections(self) -> None:
        """As a router does that was restarted: nobody hears of it, but nothing comes through."""
        for way in self._ways:
            way.dead = True

    def misbehave(self, choice: random.Random) -> None:
        """Do one of the things that networks do."""
        choice.choice([self.forget_connections, self.go_away, self.come_back, self.come_back, self.cut])()

    def cut(self) -> None:
        """End every connection, as a proxy does that is restarted."""
        for way in self._ways:
            for end in (way.near, way.far):
                if end is not None:
                    with contextlib.suppress(OSError):
                        end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        ends = [end for way in self._ways for end in (way.near, way.far) if end is not None]
        for each in (self._listener, *ends):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                way = Way(near, dead=not self._is_up)
                self._ways.append(way)
                threading.Thread(target=self._serve, args=(way,), daemon=True).start()

    def _serve(self, way: Way) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while _END_OF_HEAD not in head:
                if not (content := way.near.recv(65536)):
                    return
                head += content
            if way.dead:
                return
            path = head.split(b" ", 2)[1].decode()
            if page := self.pages.get(path):
                kind = b"javascript" if path.endswith(".js") else b"html"
                way.near.sendall(_PAGE % (kind, len(page.encode()), page.encode()))
                way.near.close()
                return
            upgrades = b"upgrade: websocket" in head.lower()
            self.upgrades += upgrades
            if upgrades and self.refuses_upgrade:
                way.near.sendall(_NO_UPGRADE)
                way.near.close()
                return
            way.far = socket.create_connection(("127.0.0.1", self._target))
            way.far.sendall(_KEPT.sub(b"Connection: close", head))  # one request each
            threading.Thread(target=self._pass_back, args=(way, upgrades), daemon=True).start()
            while content := way.near.recv(65536):
                if not way.dead:
                    way.far.sendall(content)
            if not way.dead:
                way.far.shutdown(socket.SHUT_WR)

    def _pass_back(self, way: Way, upgraded: bool) -> None:
        assert way.far
        held: list[bytes] = []
        first = True
        with contextlib.suppress(OSError):
            while content := way.far.recv(65536):
                if way.dead or (upgraded and self.swallows_frames and not first):
                    continue
                first = False
                if self.buffers and not upgraded:
                    held.append(content)
                else:
                    way.near.sendall(content)
        with contextlib.suppress(OSError):
            if not way.dead:
                way.near.sendall(b"".join(held))
                way.near.shutdown(socket.SHUT_WR)
        way.far.close()


@contextmanager
def network_to(port: int) -> Iterator[Network]:
    network = Network(port)
    try:
        yield network
    finally:
        network.close()
