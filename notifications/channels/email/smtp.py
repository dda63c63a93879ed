"""Email over SMTP (RFC 5321): one session per email, within one deadline for the whole, to a checked address.

The session is that of `smtplib`, over a socket that we open ourselves. docs/adr/0085.
"""

import base64
import re
import smtplib
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import certifi
from django.conf import settings

from integrations.accounts import formats
from integrations.errors import NetworkError, OurFault, TimedOut
from integrations.outbound.connections import MOST_TRIED, reach
from integrations.outbound.guard import refusal
from integrations.outbound.names import resolve
from notifications.channels.email.answers import MailAnswer
from notifications.channels.email.smtp_refusals import RecipientStepRefused, error_of, text_of
from notifications.channels.email.timed_socket import DeadlinePassed, TimedSocket

STARTTLS, IMPLICIT, NONE = "starttls", "implicit", "none"
USUAL_PORTS = {STARTTLS: 587, IMPLICIT: 465, NONE: 25}
NAME_SECONDS = 5.0
_UNFIT = re.compile(r"[\x00-\x20\x7f<>]")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_GO_ON = 354


@dataclass(frozen=True)
class Server:
    """A mail server. ``tls``: ``starttls``, ``implicit``, or ``none``, which is only for listed addresses."""

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
        tls, host = credentials.get("tls") or STARTTLS, credentials["host"]
        if tls not in USUAL_PORTS:
            raise OurFault(f"the credential tls must be one of {', '.join(USUAL_PORTS)}")
        port = credentials.get("port") or str(USUAL_PORTS[tls])
        _check("host", host, formats.host)
        _check("port", port, formats.port)
        username = credentials.get("username") or ""
        password = credentials["password"] if username else ""
        return cls(host.lower(), int(port), tls, username, password)


def _check(name: str, value: str, check: Callable[[str], None]) -> None:
    try:
        check(value)
    except ValueError as error:
        raise OurFault(f"the credential {name} cannot be used: {error}") from error


def send(server: Server, sender: str, to: str, message: bytes, *, deadline: float) -> MailAnswer:
    """Submit one email. ``deadline``: seconds for all of it.

    Raises:
        NetworkError: no connection, or it broke; ``sent`` if the transfer of the email itself had begun.
        TimedOut: the deadline passed after that.
        OurFault: an address that may not be called, or that cannot be written.
    """
    if _UNFIT.search(sender + to) or not (sender + to).isascii():
        raise OurFault("an address has a character that SMTP cannot carry here")
    return _talk(server, deadline, lambda session: session.hand_in(sender, to, message))


def log_in(server: Server, *, deadline: float) -> MailAnswer:
    """Greet, start TLS, log in and quit, without sending an email. ``deadline``: seconds for all of it.

    Raises:
        NetworkError: no connection, or it broke.
        OurFault: an address that may not be called, or a method that the server does not offer.
    """
    return _talk(server, deadline, _Session.leave)


def _talk(server: Server, deadline: float, work: Callable[["_Session"], MailAnswer]) -> MailAnswer:
    with closing(_Session(server, time.monotonic() + deadline)) as session:
        try:
            session.begin()
            return work(session)
        except smtplib.SMTPResponseException as refused:
            return MailAnswer(refused.smtp_code, {}, text_of(refused).encode(), error_of(refused))
        except DeadlinePassed as error:
            if session.leaving:
                raise TimedOut("the mail server did not confirm the email within the deadline") from error
            raise NetworkError("the mail server did not ask for the email within the deadline") from error
        except OSError as error:
            raise NetworkError("the connection to the mail server broke", sent=session.leaving) from error


class _Session(smtplib.SMTP):
    """One connection. ``leaving``: whether the transfer of the email itself has begun; then its fate is unknown.

    It avoids those parts of `smtplib` that wait longer than necessary (``sendmail`` resets after a refusal, ``quit``
    waits for an answer), that would try a refused password again (``login``), or that rewrite an address (``mail``,
    ``rcpt``).
    """

    ehlo_msg = "EHLO"

    def __init__(self, server: Server, ends: float) -> None:
        super().__init__(local_hostname=greeting_name())
        self._server, self._ends = server, ends
        self.leaving = False

    def begin(self) -> None:
        """Connect, greet, start TLS and log in, as the credentials say."""
        server = self._server
        _expect(self.connect(server.host, server.port), 220)
        _expect(self.ehlo(), 250)
        if server.tls == STARTTLS:
            self._begin_tls()
        if server.username:
            self._log_in(server.username, server.password)

    def hand_in(self, sender: str, to: str, message: bytes) -> MailAnswer:
        """Submit one email, and quit."""
        _expect(self.docmd("MAIL", f"FROM:<{sender}>"), 250)
        code, said = self.docmd("RCPT", f"TO:<{to}>")
        if code not in {250, 251}:
            raise RecipientStepRefused(code, said)
        said = _expect(self.data(_LINE_END.sub(b"\r\n", message)), 250)
        self.leave()
        return MailAnswer(250, {}, said)

    def leave(self) -> MailAnswer:
        """Quit, without waiting for the answer."""
        with suppress(OSError, DeadlinePassed):
            self.putcmd("QUIT")
        return MailAnswer(221, {}, b"")

    def getreply(self) -> tuple[int, bytes]:
        """A whole reply: its code, and its lines without the code.

        Raises:
            OSError: the connection broke, or this is not SMTP.
        """
        try:
            code, said = super().getreply()
        except smtplib.SMTPResponseException as error:  # an endless line
            raise ConnectionError("not SMTP") from error
        if not 200 <= code < 600:
            raise ConnectionError("not SMTP")
        self.leaving = self.leaving or code == _GO_ON
        return code, said

    def _get_socket(self, host: str, port: int, _timeout: float) -> TimedSocket:
        """The connection for `smtplib`: to a checked address, and within the deadline."""
        _, sock = reach(_checked(self._server, self._ends)[:MOST_TRIED], port, self._ends)
        self._connection = TimedSocket(sock, self._ends)
        if self._server.tls == IMPLICIT:
            self._connection = self._connection.secured(host, tls_context())
        return self._connection

    def _begin_tls(self) -> None:
        if not self.has_extn("starttls"):
            raise OurFault("the mail server offers no STARTTLS; choose another value for the credential tls")
        _expect(self.docmd("STARTTLS"), 220)
        self.file = None  # what came before TLS cannot be trusted
        self.sock = self._connection.secured(self._server.host, tls_context())  # type: ignore[assignment]
        _expect(self.ehlo(), 250)

    def _log_in(self, username: str, password: str) -> None:
        """Log in once, by a method that the server offers; names and passwords are UTF-8 (RFC 4616, 2)."""
        ways = self.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in ways or not ways:
            _expect(self.docmd("AUTH", f"PLAIN {_base64(f'{chr(0)}{username}{chr(0)}{password}')}"), 235)
        elif "LOGIN" in ways:
            _expect(self.docmd("AUTH", "LOGIN"), 334)
            _expect(self.docmd(_base64(username)), 334)
            _expect(self.docmd(_base64(password)), 235)
        else:
            raise OurFault("the mail server offers neither AUTH PLAIN nor AUTH LOGIN")


def _expect(reply: tuple[int, bytes], wanted: int) -> bytes:
    code, said = reply
    if code != wanted:
        raise smtplib.SMTPResponseException(code, said)
    return said


def _checked(server: Server, ends: float) -> tuple[str, ...]:
    """The server's addresses, all of which may be called."""
    literal = ":" in server.host or server.host.rpartition(".")[2].isdigit()
    left = max(min(NAME_SECONDS, ends - time.monotonic()), 0.0)
    addresses = (server.host,) if literal else resolve(server.host, left)
    # Without TLS, as with plain http: only if the operator lists the address.
    scheme = "http" if server.tls == NONE else "https"
    allowed = tuple(settings.OUTBOUND_ALLOW)
    try:
        refused = any(refusal(scheme, address, server.port, allowed) for address in addresses)
    except ValueError as error:
        raise OurFault("the credential host is not a host name") from error
    if refused:
        raise OurFault("this mail server may be used only if WEDSYNC_OUTBOUND_ALLOW lists its address")
    return addresses


@lru_cache(1)
def tls_context() -> ssl.SSLContext:
    """As for HTTP, but without announcing HTTP as the protocol."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


def greeting_name() -> str:
    """The name by which we greet: ``WEDSYNC_SMTP_NAME``, else the host of the public URL.

    Many servers refuse mail from a client whose name does not resolve. An address is written as in RFC 5321, 4.1.3.
    """
    name: str = settings.SMTP_NAME or urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    try:
        address = ip_address(name)
    except ValueError:
        return name if name.isascii() else name.encode("idna").decode()
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
