"""Whole requests around the bodies, with odd signatures, types, methods, addresses and framings."""

import random
import time
from collections.abc import Callable

from bench.envelopes import signature
from bench.fuzz.bodies import LARGEST, Bodies
from bench.fuzz.case import Case
from bench.ground import Facts

_PREFIX = "/api/webhooks/channel-events"
_TYPES = (
    "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data", "", ";", "json",
    "text/json", "application/problem+json", "application/json\x80",
)  # fmt: skip
_GOOD_TYPES = ("application/json", "application/json; charset=utf-8", "Application/JSON", "application/json ;x=y")
_METHODS = ("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE")
_FOREIGN_METHODS = ("post", "FOO", "PO ST", "\x00", "")
_EXTRA = (
    "X-Forwarded-For: 203.0.113.7, 127.0.0.1", "Forwarded: for=unknown", "X-WedSync-Connection: wsc_nobody",
    "Accept-Encoding: br;q=1.0", "Content-Encoding: gzip", "Expect: 100-continue", "Cookie: " + "a" * 3000,
    "X-Request-Id: \x80\xff", "Host: evil.example", "Upgrade: websocket", "X-Empty:", "Content-Language: *",
)  # fmt: skip
_CHARACTERS = [chr(number) for number in range(0x21, 0xFF) if number != 0x7F]
"""The characters that a header's value may contain. RFC 9110, section 5.5."""
Headers = list[str]


class Cases:
    """Makes requests. The same seed makes the same ones, except for times, signatures and the connection's id."""

    def __init__(self, facts: Facts, seed: int) -> None:
        self._chance = random.Random(seed)
        self._facts = facts
        self._secret = facts.secret.encode()
        self._bodies = Bodies(self._chance, facts.bookings)
        self._forgeries: list[Callable[[bytes], Headers]] = [
            lambda _: [],
            lambda _: [""],
            lambda body: [self._sign(body), self._sign(body)],
            lambda body: [signature(body, b"another secret", int(time.time()))],
            lambda body: [signature(body, b"", int(time.time()))],
            lambda body: [self._sign(body, self._chance.choice((-301, -86_400, 301, 10**9)) * 2)],
            lambda body: [self._sign(body + b" ")],
            lambda body: [self._damaged(self._sign(body))],
            lambda body: [self._sign(body).replace("v1=", "v0=")],
            lambda body: [self._sign(body).partition(",")[2]],
            lambda body: [self._sign(body) + ",t=1"],
            lambda _: [f"t={'9' * self._chance.randint(1, 400)},v1={'0' * 64}"],
            lambda _: [f"t=-1,v1={'f' * 64}", "v1=" * self._chance.randint(1, 900)],
            lambda _: ["".join(self._chance.choices(_CHARACTERS, k=self._chance.randint(1, 90)))],
        ]

    def make(self) -> Case:
        """One request."""
        body = self._bodies.make()
        kind = self._chance.random()
        if kind < 0.55:
            return self._case(body, [self._right_signature(body)], signed=len(body) <= LARGEST)
        if kind < 0.8:
            return self._case(body, self._chance.choice(self._forgeries)(body), signed=False)
        if kind < 0.93:
            return self._elsewhere(body)
        return self._badly_framed(body)

    def _sign(self, body: bytes, away: float = 0) -> str:
        return signature(body, self._secret, int(time.time() + away))

    def _right_signature(self, body: bytes) -> str:
        """A valid signature in any form that the contract allows."""
        made = self._sign(body, self._chance.choice((0, 0, -200, 200)))
        forms = (made, made, made.upper().replace("T=", "t=").replace("V1=", "v1="), f"{made},v1={'a' * 64}")
        return self._chance.choice(forms)

    def _damaged(self, text: str) -> str:
        """The signature with one character of the digest changed."""
        place = self._chance.randrange(len(text) - 64, len(text))
        return text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :]

    def _case(self, body: bytes, signatures: Headers, *, signed: bool) -> Case:
        headers = [f"Content-Type: {self._chance.choice(_GOOD_TYPES)}"]
        headers += [f"X-Venue-Signature: {value}" for value in signatures]
        if self._chance.random() < 0.2:
            headers += self._chance.sample(_EXTRA, self._chance.randint(1, 3))
        if self._chance.random() < 0.01:
            headers += [f"X-Many-{number}: {number}" for number in range(100)]
        return Case(self._request("POST", self._facts.path, headers, body), body, signed=signed, well_formed=True)

    def _request(self, method: str, path: str, headers: Headers, body: bytes) -> bytes:
        framing, content = [f"Content-Length: {len(body)}"], body
        if self._chance.random() < 0.1:
            middle = self._chance.randint(0, len(body))
            chunks = [piece for piece in (body[:middle], body[middle:]) if piece]
            framing = ["Transfer-Encoding: chunked"]
            content = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in chunks) + b"0\r\n\r\n"
        return head_of(method, path, [*headers, *framing]) + content

    def _elsewhere(self, body: bytes) -> Case:
        """Correctly signed, but with another method, type or address: it must not become an event."""
        method, path, kind = "POST", self._facts.path, _GOOD_TYPES[0]
        change = self._chance.randrange(3)
        if change == 0:
            method = self._chance.choice(_METHODS)
        elif change == 1:
            kind = self._chance.choice(_TYPES)
        else:
            path = self._other_path()
        headers = [f"Content-Type: {kind}", f"X-Venue-Signature: {self._sign(body)}"]
        raw = self._request(method, path, headers, body)
        return Case(raw, body, signed=False, well_formed=True, head=method == "HEAD")

    def _other_path(self) -> str:
        known = self._facts.connection
        word = "".join(self._chance.choice("abcXYZ019_-.~%/") for _ in range(self._chance.randint(1, 60)))
        others = (
            "", "/", f"/{known.lower()}", f"/{known}x", f"/{known[:-1]}", f"/{known}/a", "/%00", f"/{known}%00",
            "/%ff%fe", "/..%2f..%2f", f"/{word}", f"/{'x' * 4000}",
        )  # fmt: skip
        chosen = self._chance.choice(others)
        return _PREFIX + (f"/{known}x" if chosen.strip("/") == known else chosen)

    def _badly_framed(self, body: bytes) -> Case:
        """HTTP that no client would send: an answer is welcome, a closed connection is fine."""
        headers = ["Content-Type: application/json", f"X-Venue-Signature: {self._sign(body)}"]
        framings: tuple[Headers, ...] = (
            ["Content-Length: -1"], ["Content-Length: x"], ["Content-Length: 5", "Content-Length: 6"], [],
            [f"Content-Length: {len(body) + 50}"], [f"Content-Length: {'9' * 30}"], ["Content-Length: +3"],
            ["Transfer-Encoding: chunked", "Content-Length: 3"], ["Transfer-Encoding: gzip"], ["A\x00B: 1"],
            ["Transfer-Encoding: chunked"], [" folded: 1"], ["No colon at all"],
        )  # fmt: skip
        method = self._chance.choice(("POST", "POST", *_FOREIGN_METHODS))
        path = self._chance.choice((self._facts.path, self._facts.path, f"{_PREFIX}/\u00d9\u00a1"))
        raw = head_of(method, path, [*headers, *self._chance.choice(framings)]) + body
        if self._chance.random() < 0.2:
            raw = raw[: self._chance.randint(0, len(raw))]
        elif self._chance.random() < 0.1:
            raw = self._chance.randbytes(self._chance.randint(1, 300))
        return Case(raw, body, signed=False, well_formed=False)


def head_of(method: str, path: str, headers: Headers) -> bytes:
    """The bytes before the body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
