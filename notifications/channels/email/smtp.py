"""Mail over SMTP (RFC 5321): one session per mail, within one deadline for the whole, to a checked address.

The standard library's client waits anew with each read, so that a server that drips holds a thread for ever, and it
connects to whatever a name leads to. This one speaks only what is needed. docs/adr/0041.
"""

import base64
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import certifi
from django.conf import settings

from integrations.errors import NetworkError, OurFault, TimedOut
from integrations.outbound.connections import reach, secure
from integrations.outbound.guard import refusal
from integrations.outbound.names import resolve
from notifications.channels.email.answers import Answer
from notifications.channels.email.smtp_refusals import Refused, error_of

STARTTLS, IMPLICIT, NONE = "starttls", "implicit", "none"
_PORTS = {STARTTLS: 587, IMPLICIT: 465, NONE: 25}
MOST_REPLY = 64 * 1024
NAME_SECONDS = 5.0
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")
IPV6 = 6


@dataclass(frozen=True)
class Server:
    """Where mail is handed in. ``tls``: ``starttls``, ``implicit``, or ``none``: for addresses that are listed."""

    host: str
    port: int
    tls: str
    username: str = ""
    password: str = ""

    @classmethod
    def of(cls, credentials: Mapping[str, str]) -> "Server":
        """From a system's credentials.

        Raises:
            OurFault: one of them cannot be used.
        """
        tls, port = credentials.get("tls") or STARTTLS, credentials.get("port") or ""
        if tls not in _PORTS:
            raise OurFault("the credential tls is starttls, implicit or none")
        if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
            raise OurFault("the credential port is no port")
        if not _HOST.fullmatch(host := credentials["host"]):
            raise OurFault("the credential host is no host name")
        username = credentials.get("username") or ""
        password = credentials["password"] if username else ""
        return cls(host.lower(), int(port) if port else _PORTS[tls], tls, username, password)


def send(server: Server, sender: str, to: str, message: bytes, *, deadline: float) -> Answer:
    """Hand one mail in. ``deadline``: seconds for all of it.

    Raises:
        NetworkError: no connection, or it broke; ``sent`` where the mail itself had begun to leave.
        TimedOut: the deadline passed after that.
        OurFault: an address that may not be called, or that cannot be written.
    """
    if _UNFIT.search(sender + to) or not (sender + to).isascii():
        raise OurFault("an address holds a character that SMTP cannot carry here")
    return _talk(server, deadline, lambda session: session.hand_in(sender, to, message))


def log_in(server: Server, *, deadline: float) -> Answer:
    """Greet, begin TLS and log in, and leave again without a mail. ``deadline``: seconds for all of it.

    Raises:
        NetworkError: no connection, or it broke.
        OurFault: an address that may not be called, or a way that the server does not offer.
    """
    return _talk(server, deadline, _Session.leave)


def _talk(server: Server, deadline: float, work: Callable[["_Session"], Answer]) -> Answer:
    ends = time.monotonic() + deadline
    session = _Session(_open(server, ends), ends)
    try:
        session.begin(server)
        return work(session)
    except Refused as refused:
        return Answer(refused.code, {}, refused.text.encode(), error_of(refused))
    except TimeoutError as error:
        if session.leaving:
            raise TimedOut("the mail server did not confirm the mail within the deadline") from error
        raise NetworkError("the mail server did not get to the mail within the deadline") from error
    except OSError as error:
        raise NetworkError("the connection to the mail server broke", sent=session.leaving) from error
    finally:
        session.close()


def _open(server: Server, ends: float) -> socket.socket:
    literal = ":" in server.host or server.host.rpartition(".")[2].isdigit()
    left = max(min(NAME_SECONDS, ends - time.monotonic()), 0.0)
    addresses = (server.host,) if literal else resolve(server.host, left)
    # Without TLS it is as with plain http: only where the operator lists the address.
    scheme = "http" if server.tls == NONE else "https"
    allowed = tuple(settings.OUTBOUND_ALLOW)
    try:
        refused = any(refusal(scheme, address, server.port, allowed) for address in addresses)
    except ValueError as error:
        raise OurFault("the credential host is no host name") from error
    if refused:
        raise OurFault("this mail server may be spoken to only when WEDSYNC_OUTBOUND_ALLOW lists its address")
    _, sock = reach(addresses[:4], server.port, ends)
    return secure(sock, server.host, ends, _tls()) if server.tls == IMPLICIT else sock


@lru_cache(1)
def _tls() -> ssl.SSLContext:
    """As for HTTP, but without naming HTTP as what will be spoken."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


class _Session:
    """One connection. ``leaving``: whether the mail itself has begun to leave, after which its fate is unknown."""

    def __init__(self, sock: socket.socket, ends: float) -> None:
        self._sock, self._ends = sock, ends
        self._received = b""
        self._replied = 0
        self.leaving = False

    def begin(self, server: Server) -> None:
        self._expect(220)
        extensions = self._hello()
        if server.tls == STARTTLS:
            if "STARTTLS" not in extensions:
                raise OurFault("the mail server offers no STARTTLS; the credential tls says what it is to do")
            self._ask("STARTTLS", 220)
            self._received = b""  # what came before TLS is not the server's word
            self._sock = secure(self._sock, server.host, self._ends, _tls())
            extensions = self._hello()
        if server.username:
            self._log_in(server, extensions)

    def leave(self) -> Answer:
        with suppress(OSError):
            self._write(b"QUIT\r\n")
        return Answer(221, {}, b"")

    def hand_in(self, sender: str, to: str, message: bytes) -> Answer:
        self._ask(f"MAIL FROM:<{sender}>", 250)
        try:
            self._ask(f"RCPT TO:<{to}>", 250, 251)
        except Refused as refused:
            raise Refused(refused.code, refused.text, of_recipient=True) from refused
        self._ask("DATA", 354)
        self.leaving = True
        self._write(_dotted(message))
        code, text = self._reply()
        if code != 250:
            raise Refused(code, text)
        self.leave()
        return Answer(code, {}, text.encode())

    def _hello(self) -> dict[str, str]:
        text = self._ask(f"EHLO {greeting_name()}", 250)
        lines = [line.partition(" ") for line in text.upper().splitlines()[1:]]
        return {name: rest for name, _, rest in lines}

    def _log_in(self, server: Server, extensions: dict[str, str]) -> None:
        ways = extensions.get("AUTH", "").split()
        if "PLAIN" in ways or not ways:
            self._ask(f"AUTH PLAIN {_base64(f'{chr(0)}{server.username}{chr(0)}{server.password}')}", 235)
        elif "LOGIN" in ways:
            self._ask("AUTH LOGIN", 334)
            self._ask(_base64(server.username), 334)
            self._ask(_base64(server.password), 235)
        else:
            raise OurFault("the mail server offers neither AUTH PLAIN nor AUTH LOGIN")

    def _ask(self, line: str, *wanted: int) -> str:
        self._write(f"{line}\r\n".encode("ascii"))
        return self._expect(*wanted)

    def _expect(self, *wanted: int) -> str:
        code, text = self._reply()
        if code not in wanted:
            raise Refused(code, text)
        return text

    def _reply(self) -> tuple[int, str]:
        """A whole reply: its code, and its lines without it."""
        lines = []
        while True:
            line = self._line()
            if not re.fullmatch(r"[2-5][0-9]{2}([ -].*)?", line):
                raise ConnectionError("not SMTP")
            lines.append(line[4:])
            if line[3:4] != "-":
                return int(line[:3]), "\n".join(lines)

    def _line(self) -> str:
        while b"\n" not in self._received:
            self._wait()
            piece = self._sock.recv(4096)
            self._replied += len(piece)
            if not piece or self._replied > MOST_REPLY:
                raise ConnectionError("closed, or without end")
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        return line.decode("utf-8", errors="replace").rstrip("\r")

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            self._wait()
            rest = rest[self._sock.send(rest) :]

    def _wait(self) -> None:
        """Bound the next read or write by what is left."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)

    def close(self) -> None:
        self._sock.close()


def _dotted(message: bytes) -> bytes:
    """The mail with its end, and no line in it that could be taken for the end (RFC 5321, 4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    return re.sub(rb"(?m)^\.", b"..", lines).removesuffix(b"\r\n") + b"\r\n.\r\n"


def greeting_name() -> str:
    """The name by which we greet: ``WEDSYNC_SMTP_NAME``, else the host of the public URL.

    Many servers refuse mail of a client whose name does not resolve. An address is written as RFC 5321, 4.1.3 wants it.
    """
    name: str = settings.SMTP_NAME or urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    try:
        address = ip_address(name)
    except ValueError:
        return name if name.isascii() else name.encode("idna").decode()
    return f"[IPv6:{address}]" if address.version == IPV6 else f"[{address}]"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
