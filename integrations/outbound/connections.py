"""Connections to checked addresses, some of them kept open between calls."""

import errno
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import certifi

from integrations.errors import NetworkError, NoRoom, OurFault
from integrations.outbound.guard import Origin, refusal
from integrations.outbound.names import resolve

CONNECT_SECONDS = 5.0
MOST_TRIED = 4
IDLE_SECONDS = 15.0
OPEN_SECONDS = 300.0
MOST_IDLE = 256
SWEEP_SECONDS = 5.0
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})


@dataclass(slots=True, eq=False)
class Connection:
    """An open connection to one checked address. ``opened``, ``idle_until``: seconds of the monotonic clock."""

    origin: Origin
    address: str
    sock: socket.socket
    opened: float
    idle_until: float = 0.0

    def close(self) -> None:
        """Close it, whatever its state."""
        self.sock.close()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing has arrived: neither the other side's end nor unexpected bytes."""
        watch = select.poll()
        watch.register(self.sock, select.POLLIN)
        return not watch.poll(0)


def connect(origin: Origin, allowed: tuple[str, ...], ends: float) -> Connection:
    """A new connection to a checked address. ``ends``: seconds of the monotonic clock.

    Name resolution, TCP and TLS may each take 5 s, but no longer than until ``ends``.

    Raises:
        OurFault: one of the host's addresses must not be called.
        NetworkError: no connection; nothing was sent.
    """
    addresses = (origin.host,) if origin.literal else resolve(origin.host, _patience(ends))
    for address in addresses:
        if reason := refusal(origin.scheme, address, origin.port, allowed):
            raise OurFault(reason)
    address, sock = reach(addresses[:MOST_TRIED], origin.port, ends)
    if origin.scheme == "https":
        sock = secure(sock, origin.host, ends)
    return Connection(origin, address, sock, time.monotonic())


def _patience(ends: float) -> float:
    return max(min(CONNECT_SECONDS, ends - time.monotonic()), 0.0)


def reach(addresses: tuple[str, ...], port: int, ends: float) -> tuple[str, socket.socket]:
    """The first address that accepts a connection; each gets its share of the time."""
    until = time.monotonic() + _patience(ends)
    failure: OSError = TimeoutError()
    for tried, address in enumerate(addresses):
        share = (until - time.monotonic()) / (len(addresses) - tried)
        if share <= 0:
            break
        try:
            return address, _dial(address, port, share)
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        raise NetworkError("no connection within the deadline") from failure
    if isinstance(failure, ConnectionRefusedError):
        raise NetworkError("the connection was refused") from failure
    if failure.errno in _NO_ROOM:
        raise NoRoom("this process can open no further connection") from failure
    raise NetworkError("the target cannot be reached") from failure


def _dial(address: str, port: int, seconds: float) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(seconds)
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


@lru_cache(1)
def tls_context() -> ssl.SSLContext:
    """The process's context: certifi's authorities and the system's; ``SSL_CERT_FILE`` adds the operator's own."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    return context


def secure(sock: socket.socket, host: str, ends: float, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """The connection inside TLS; the time-out covers the whole handshake, not each read."""
    secured: ssl.SSLSocket | None = None
    try:
        sock.settimeout(_patience(ends) or 0.001)
        secured = (context or tls_context()).wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
        secured.do_handshake()
    except BaseException as error:
        (secured or sock).close()
        if isinstance(error, ssl.SSLCertVerificationError):
            raise NetworkError(f"the TLS certificate was not accepted: {error.verify_message}") from error
        if isinstance(error, TimeoutError):
            raise NetworkError("no TLS handshake within the deadline") from error
        if isinstance(error, OSError | ValueError):
            raise NetworkError("the TLS handshake failed") from error
        raise
    return secured


class IdleConnections:
    """The process's connections kept between calls: the most recent one is used first, so that others expire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Origin, list[Connection]] = {}
        self._count = 0
        self._swept = 0.0

    def take(self, origin: Origin, allowed: tuple[str, ...]) -> Connection | None:
        """A kept connection that is still open, to an address that may still be called, or ``None``."""
        while True:
            with self._lock:
                waiting = self._idle.get(origin)
                if not waiting:
                    return None
                connection = waiting.pop()
                self._count -= 1
            fresh = connection.idle_until > time.monotonic()
            if fresh and connection.is_quiet and not refusal(origin.scheme, connection.address, origin.port, allowed):
                return connection
            connection.close()

    def keep(self, connection: Connection, seconds: float) -> None:
        """Keep it for at most ``seconds`` without use; closes it if there are enough."""
        now = time.monotonic()
        connection.idle_until = min(now + min(seconds, IDLE_SECONDS), connection.opened + OPEN_SECONDS)
        expired: list[Connection] = []
        with self._lock:
            if now - self._swept > SWEEP_SECONDS or self._count >= MOST_IDLE:
                expired = self._expired(now)
            if self._count < MOST_IDLE:
                self._idle.setdefault(connection.origin, []).append(connection)
                self._count += 1
            else:
                expired.append(connection)
        _close(expired)

    def _expired(self, now: float) -> list[Connection]:
        """Remove the expired ones; the caller holds the lock."""
        self._swept = now
        every = [connection for waiting in self._idle.values() for connection in waiting]
        self._idle = {}
        for connection in every:
            if connection.idle_until > now:
                self._idle.setdefault(connection.origin, []).append(connection)
        self._count = sum(map(len, self._idle.values()))
        return [connection for connection in every if connection.idle_until <= now]

    def close(self) -> None:
        """Close all kept connections."""
        with self._lock:
            every = [connection for waiting in self._idle.values() for connection in waiting]
            self._idle, self._count = {}, 0
        _close(every)


def _close(connections: Iterable[Connection]) -> None:
    for connection in connections:
        connection.close()
