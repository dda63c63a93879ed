"""Deliveries of mails, the way a worker sends them, and a mail server that plays what a test wants."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from integrations.models import Delivery
from integrations.outbound import Request, Response
from notifications.channels.registry import CHANNELS
from tests.factories import ContactFactory, DeliveryFactory, EventFactory, SystemFactory, WeddingFactory

SENDER = "Lakeside <hello@wedsync.example>"
_USUAL = {"AUTH": b"235 welcome\r\n", "STARTTLS": b"220 go on\r\n", "END": b"250 2.0.0 queued as 42\r\n"}
TIMELINE = {"changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:00"}]}


def delivery(
    base_url: str = "https://mail.example", credentials: dict[str, str] | None = None, **rest: Any
) -> Delivery:
    """A mail to Anna about her timeline, not written yet."""
    wedding = WeddingFactory()
    mine = wedding.organization
    event = EventFactory(
        organization=mine,
        wedding=wedding,
        type=rest.pop("type", "timeline.updated"),
        payload=rest.pop("payload", TIMELINE),
    )
    anna = ContactFactory(
        organization=mine, wedding=wedding, name="Anna", email="anna@people.example", locale=rest.pop("locale", "en")
    )
    system = SystemFactory(
        organization=mine,
        kind="email",
        base_url=base_url,
        credentials={"from": SENDER, "api_key": "re_key"} | (credentials or {}),
    )
    made = DeliveryFactory(
        organization=mine,
        event=event,
        system=system,
        contact=rest.pop("contact", anna),
        channel="email",
        target="anna@people.example",
        **rest,
    )
    return Delivery.objects.select_related("system", "event__wedding", "contact").get(id=made.id)


def frozen(row: Delivery) -> Request:
    """The mail as it is kept, written at the first try."""
    if row.request is None:
        row.request = CHANNELS["email"].render(row).as_json()
        row.save(update_fields=["request"])
    return Request.from_json(row.request)


def answer(row: Delivery, deadline: float = 5.0) -> Response:
    """What the provider says to one try."""
    return CHANNELS["email"].ready(row, frozen(row))(deadline)


def sent(row: Delivery, deadline: float = 5.0) -> str:
    """The provider's id of what it took in one try."""
    return CHANNELS["email"].judge(answer(row, deadline))


def through(server: MailServer, settings: Any, credentials: dict[str, str] | None = None, **rest: Any) -> Delivery:
    """A mail through that server, which the operator lists."""
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{server.port}"]
    there = {"provider": "smtp", "host": "127.0.0.1", "port": str(server.port), "tls": "none"}
    return delivery(credentials=there | (credentials or {}), **rest)


@dataclass
class MailServer:
    """Speaks SMTP on 127.0.0.1.

    ``replies``: its own word to a command, ``None``: it closes; else all is well. ``tls``: how it speaks TLS, after
    STARTTLS or, where ``implicit``, from the beginning.
    """

    replies: dict[str, bytes | None] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("PIPELINING",)
    drips: str = ""
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    commands: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    port: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def play(self, sock: socket.socket) -> None:
        """One session."""
        with contextlib.suppress(OSError), contextlib.ExitStack() as opened:
            opened.enter_context(sock)
            if self.tls and self.implicit:
                sock = opened.enter_context(self.tls.wrap_socket(sock, server_side=True))
            sock.sendall(b"220 mail.test ESMTP\r\n")
            if self._converse(sock):
                if self.tls is None:
                    self.over.wait()  # the handshake is never answered
                    return
                self._converse(opened.enter_context(self.tls.wrap_socket(sock, server_side=True)))

    def _converse(self, sock: socket.socket) -> bool:
        """Answer until the client leaves; whether it wants TLS now."""
        with sock.makefile("rb") as lines:
            for raw in lines:
                line = raw.decode(errors="replace").rstrip()
                self.commands.append(line)
                word = line.partition(" ")[0].upper()
                if word == "DATA":
                    sock.sendall(b"354 go on\r\n")
                    self.mails.append(self._read(lines))
                    word = "END"
                if word == self.drips:
                    self._drip(sock)
                    return False
                reply = self.replies.get(word, self._usual(word))
                if reply is None:
                    return False
                sock.sendall(reply)
                if word == "STARTTLS" and reply.startswith(b"220"):
                    return True
        return False

    def _usual(self, word: str) -> bytes:
        if word == "EHLO":
            names = ["mail.test", *self.extensions]
            ends = "-" * (len(names) - 1) + " "
            return "".join(f"250{end}{name}\r\n" for end, name in zip(ends, names, strict=True)).encode()
        return _USUAL.get(word, b"250 ok\r\n")

    @staticmethod
    def _read(lines: Any) -> bytes:
        kept = []
        for line in lines:
            if line == b".\r\n":
                break
            kept.append(line[1:] if line.startswith(b".") else line)
        return b"".join(kept)

    def _drip(self, sock: socket.socket) -> None:
        while not self.over.wait(0.05):
            sock.sendall(b"2")


@contextmanager
def mail_server(**options: Any) -> Iterator[MailServer]:
    """A mail server for as long as the block lasts."""
    server = MailServer(**options)
    listening = socket.create_server(("127.0.0.1", 0))
    server.port = int(listening.getsockname()[1])
    threads: list[threading.Thread] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listening.accept()
                _start(threads, lambda sock=sock: server.play(sock))

    _start(threads, accept)
    try:
        yield server
    finally:
        server.over.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in threads:
            thread.join(5)


def _start(threads: list[threading.Thread], work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    threads.append(thread)
    thread.start()
