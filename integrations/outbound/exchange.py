"""One request and its answer over an open connection. Every wait is bounded by the rest of the deadline."""

import re
import socket
import time
from contextlib import suppress

import httptools

from integrations.errors import NetworkError, TimedOut
from integrations.outbound.messages import Response
from integrations.outbound.odd_heads import repaired

MOST_BYTES = 64 * 1024
MOST_HEAD = 64 * 1024
MOST_RECEIVED = 1024 * 1024
PIECE = 16 * 1024
_KEEP_ALIVE = re.compile(r"(?:^|[,;\s])timeout=([0-9]{1,6})")


class _Answer:
    """An answer as it arrives; the methods are called by llhttp."""

    def __init__(self, method: str) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._bodiless = method == "HEAD"
        self._received = 0
        self._excess = False
        self._reusable = False
        self._head = b""  # as received, until it has been parsed
        self._is_odd = False
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.has_head = False
        self.complete = False

    def on_message_begin(self) -> None:
        self._excess = self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.has_head:
            return  # trailers, or bytes after the answer
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.headers[key] = f"{self.headers[key]}, {text}" if key in self.headers else text

    def on_headers_complete(self) -> None:
        if self.has_head:
            return
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != 101:
            self.headers = {}  # an interim answer: the real one follows
            return
        self.status, self.has_head, self.complete = status, True, self._bodiless
        self._reusable = self._parser.should_keep_alive() and not self._bodiless

    def on_body(self, piece: bytes) -> None:
        if not self.complete:
            self.body += piece

    def on_message_complete(self) -> None:
        self.complete = self.has_head

    def feed(self, data: bytes) -> None:
        """Parse received bytes.

        Raises:
            NetworkError: they are not HTTP, or their head does not end.
        """
        self._received += len(data)
        if not self.has_head:
            self._head += data
        try:
            if not (self._is_odd and not self.has_head):
                self._parser.feed_data(data)
            else:
                self._read_odd_head()
        except httptools.HttpParserUpgrade:
            self.complete, self._excess = True, True
        except httptools.HttpParserError as error:
            self._accept_oddities(error)
        if not self.has_head and self._received > MOST_HEAD:
            raise NetworkError("the head of the answer does not end", sent=True)

    def _accept_oddities(self, error: httptools.HttpParserError) -> None:
        """Bytes after the head that are not HTTP leave the status valid; an odd head itself is parsed once more."""
        self._excess = True
        if self.has_head:
            self.complete = True
            return
        if self._is_odd or not self._head.lstrip().startswith(b"HTTP/"):
            raise NetworkError("the answer is not HTTP", sent=True) from error
        self._is_odd = True
        try:
            self._read_odd_head()
        except httptools.HttpParserUpgrade:
            self.complete = True
        except httptools.HttpParserError as again:
            if not self.has_head:
                raise NetworkError("the answer is not HTTP", sent=True) from again
            self.complete = True

    def _read_odd_head(self) -> None:
        """Parse a head that HTTP does not allow, once it is complete. Its connection is not used again."""
        whole = repaired(self._head)
        if whole is not None:
            self.headers = {}
            self._parser = httptools.HttpResponseParser(self)
            self._parser.feed_data(whole)

    def end(self) -> None:
        """The other side has closed: that ends a body without a length; any other answer is broken.

        Raises:
            NetworkError: something is missing.
        """
        self._reusable = False
        framed = "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", "").lower()
        if not self.has_head or framed:
            missing = "before the whole answer had arrived" if self._received else "without an answer"
            raise NetworkError(f"the connection was closed {missing}", sent=True)
        self.complete = True

    @property
    def is_enough(self) -> bool:
        """Whether to stop reading: the answer is complete, or at our limit."""
        return self.complete or len(self.body) >= MOST_BYTES or self._received >= MOST_RECEIVED

    @property
    def keep_seconds(self) -> float:
        """Seconds to keep the connection; fewer than the other side announced, so that it does not close first."""
        if not (self.complete and self._reusable) or self._excess or self._is_odd:
            return 0.0
        hint = _KEEP_ALIVE.search(self.headers.get("keep-alive", "").lower())
        return float(hint[1]) - 1 if hint else float("inf")

    def release(self) -> None:
        """Drop the parser, which refers to this object."""
        del self._parser


def exchange(sock: socket.socket, method: str, message: bytes, ends: float) -> tuple[Response, float]:
    """Send the bytes of a request and read its answer, at most 64 KiB of the body.

    ``ends``: seconds of the monotonic clock. Returns the answer, and the seconds to keep the connection.

    Raises:
        TimedOut: the deadline passed.
        NetworkError: the connection broke, or the answer is not HTTP; the request may have arrived.
    """
    answer = _Answer(method)
    try:
        # A server that refuses a request early answers and closes without reading on: its answer can still be read.
        with suppress(BrokenPipeError, ConnectionResetError):
            _send(sock, message, ends)
        _receive(sock, answer, ends)
        return Response(answer.status, answer.headers, bytes(answer.body[:MOST_BYTES])), answer.keep_seconds
    except TimeoutError as error:
        what = "the answer did not end" if answer.has_head else "no answer"
        raise TimedOut(f"{what} within the deadline") from error
    except OSError as error:
        raise NetworkError("the connection broke before the whole answer had arrived", sent=True) from error
    finally:
        answer.release()


def _send(sock: socket.socket, message: bytes, ends: float) -> None:
    rest = memoryview(message)
    while rest:
        _wait_until(sock, ends)
        rest = rest[sock.send(rest) :]


def _receive(sock: socket.socket, answer: _Answer, ends: float) -> None:
    while not answer.is_enough:
        _wait_until(sock, ends)
        data = sock.recv(PIECE)
        if not data:
            return answer.end()
        answer.feed(data)
    return None


def _wait_until(sock: socket.socket, ends: float) -> None:
    """Bound the next send or read, also inside TLS, by the time left."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)
