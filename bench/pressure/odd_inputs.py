"""Odd inputs: each returns how its connections ended."""

import json
import secrets
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from bench.pressure.sockets import (
    BINARY,
    CONTINUATION,
    TEXT,
    Connection,
    masked,
    opened,
    outcome,
    request,
)

MIB = 1024 * 1024
AT_ONCE = 10
ENDS_WITHIN = 30.0  # seconds
CHANNELS = 128  # per socket
COMPRESSED = 0xC0  # the bits above the opcode
HALF = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
Outcomes = Counter[str]


@dataclass(frozen=True)
class Odd:
    """One odd input.

    Arguments:
        sockets: how many connections; ``by_share``: fewer in a small run.
        codes: with which its connections may end or be answered.
        play: makes them, with a port and tickets.
        tickets: whether it takes one for each.
    """

    name: str
    sockets: int
    codes: frozenset[str]
    play: Callable[[int, Sequence[str]], Outcomes]
    by_share: bool = False


def _frames(name: str, content: Callable[[], bytes], code: str) -> Odd:
    """Ten sockets at once that each send these frames."""

    def play(port: int, tickets: Sequence[str]) -> Outcomes:
        sent = content()

        def one(ticket: str) -> str:
            with opened(port, ticket) as socket:
                socket.send(sent)
                return outcome(socket, ENDS_WITHIN)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            return Counter(pool.map(one, tickets))

    return Odd(name, AT_ONCE, frozenset({code}), play)


def _talk(name: str, content: Callable[[], bytes]) -> Odd:
    """One socket that makes too many requests, and reads no answer until the end."""

    def play(port: int, tickets: Sequence[str]) -> Outcomes:
        with opened(port, tickets[0]) as socket, ThreadPoolExecutor(1) as pool:
            pool.submit(socket.send, content(), ENDS_WITHIN)
            return Counter([outcome(socket, ENDS_WITHIN)])

    return Odd(name, 1, frozenset({"3013"}), play)


def _silent(port: int, count: Sequence[str], sent: bytes = b"") -> Outcomes:
    """TCP connections that never get to the point."""
    with ExitStack() as held:
        made = [held.enter_context(Connection(port)) for _ in count]
        for each in made:
            each.send(sent)
        return Counter(_end_of(each) for each in made)


def _end_of(connection: Connection) -> str:
    try:
        answer = connection.rest(ENDS_WITHIN)
    except TimeoutError:
        return "still open"
    return answer.split(b" ")[1].decode() if answer else "closed"


def _invented(port: int, count: Sequence[str]) -> Outcomes:
    def one(_: str) -> str:
        with Connection(port) as socket:
            status = socket.upgrade(f"wst_{secrets.token_hex(24)}")
            return outcome(socket, ENDS_WITHIN) if status == "101" else status

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(one, count))


def _admitted(port: int, tickets: Sequence[str]) -> Outcomes:
    with ExitStack() as held:
        made = [held.enter_context(opened(port, ticket)) for ticket in tickets]
        return Counter(outcome(each, ENDS_WITHIN) for each in made)


def _crowded(port: int, tickets: Sequence[str]) -> Outcomes:
    """Sockets that each follow as many channels as they may, of names that nobody wrote to."""
    with ExitStack() as held:
        made = []
        for number, ticket in enumerate(tickets):
            made.append(held.enter_context(opened(port, ticket)))
            names: dict[str, object] = {f"custom:{number}:{each}": {} for each in range(CHANNELS)}
            made[-1].send(request(id=1, op="subscribe", channels=names))
        found: Outcomes = Counter()
        for each in made:
            frame = each.frame(ENDS_WITHIN)
            answer = json.loads(frame[1]) if frame and frame[0] == TEXT else {"channels": {"-": {"ok": False}}}
            found["followed" if all(one["ok"] for one in answer["channels"].values()) else "refused"] += 1
        time.sleep(2)  # while they all follow
        return found


def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b" " * 60 * MIB) + packer.flush(zlib.Z_SYNC_FLUSH)
    return masked(TEXT, packed[:60_000], first=COMPRESSED)


def _subscribe(number: int, name: str) -> bytes:
    return request(id=number, op="subscribe", channel=name)


def _unsubscribe(number: int, name: str) -> bytes:
    return request(id=number, op="unsubscribe", channel=name)


NAN = b'{"id":1,"op":"subscribe","channel":"a:b:c","after":NaN}'
INPUTS = (
    _frames("1 MiB of text", lambda: masked(TEXT, b"x" * MIB), "1009"),
    _frames("not JSON", lambda: masked(TEXT, b"hello"), "bad-request"),
    _frames("binary of 10 B", lambda: masked(BINARY, b"x" * 10), "1003"),
    _frames("binary of 1 MiB", lambda: masked(BINARY, b"x" * MIB), "1009"),
    _frames("100 000 [", lambda: masked(TEXT, b"[" * 100_000), "1009"),
    _frames("60 000 [", lambda: masked(TEXT, b"[" * 60_000), "bad-request"),
    _frames("15 MiB", lambda: masked(TEXT, b"x" * 15 * MIB), "1009"),
    _frames("17 MiB", lambda: masked(TEXT, b"x" * 17 * MIB), "1009"),
    _frames("not UTF-8", lambda: masked(TEXT, b"\xff\xfe{}"), "1007"),
    _frames("a deflate bomb", _bomb, "1002"),
    _frames(
        "10 000 empty fragments",
        lambda: b"".join(
            (masked(TEXT, b"\xff", first=0), masked(CONTINUATION, b"", first=0) * 10_000, masked(CONTINUATION, b""))
        ),
        "1007",
    ),
    _frames("NaN", lambda: masked(TEXT, NAN), "bad-request"),
    _talk("10 000 subscribes to different names", lambda: b"".join(_subscribe(n, f"a:b:{n}") for n in range(10_000))),
    _talk(
        "5 000 subscribe and unsubscribe",
        lambda: b"".join(_subscribe(n, "a:b:c") + _unsubscribe(n, "a:b:c") for n in range(5_000)),
    ),
    Odd("500 silent TCP connections", 500, frozenset({"closed", "408"}), _silent, by_share=True),
    Odd("500 half requests", 500, frozenset({"408"}), lambda port, count: _silent(port, count, HALF), by_share=True),
    Odd("500 invented tickets", 500, frozenset({"3010"}), _invented, by_share=True),
    Odd("300 admitted and silent", 300, frozenset({"3011"}), _admitted, by_share=True),
    Odd("200 sockets x 128 channels", 200, frozenset({"followed"}), _crowded, by_share=True),
)  # fmt: skip
