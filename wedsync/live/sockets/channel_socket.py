"""The socket at ``/ws/channels/``, subprotocol ``wedsync.v1``. docs/developers/realtime.md.

A plain ASGI application that accepts and then hands the connection over, so that an idle client costs no task. The
broadcaster and the replays write events to the client, without waiting, from the log and in order; so nothing is lost,
doubled or reordered (docs/adr/0091).
"""

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
import structlog
from django.conf import settings

from wedsync.live import threads
from wedsync.live.access.rights import Bearer, guard
from wedsync.live.access.tickets import Pass
from wedsync.live.channels import LONGEST_NAME, MOST_CHANNELS
from wedsync.live.close_codes import CloseCode
from wedsync.live.fan_out.broadcasting import broadcaster
from wedsync.live.fan_out.replays import FIRST_PAGE
from wedsync.live.fan_out.subscriptions import Framing, Subscription
from wedsync.live.log.reader import ChannelKey, Position, positions
from wedsync.live.sockets.frames import text_frame, text_frames
from wedsync.live.sockets.operations import requests
from wedsync.live.sockets.operations.requests import RequestRefused, Start
from wedsync.live.sockets.server_protocol import EXTENSION, SocketProtocol
from wedsync.live.sockets.slow_readers import slow_readers
from wedsync.wire import strict_json

log = structlog.get_logger(__name__)
SUBPROTOCOL = "wedsync.v1"
LARGEST_FRAME = 64 * 1024  # bytes, as uvicorn's --ws-max-size in the Procfile
MINUTE = 60  # seconds


async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accept one client that the entrance has let in, and serve it from then on.

    Raises:
        RuntimeError: the server was started without ``--ws wedsync.live.sockets.server_protocol:SocketProtocol``.
    """
    connection = scope["extensions"].get(EXTENSION)
    if connection is None:
        raise RuntimeError("Start uvicorn as the Procfile does, with its --ws: the sockets need their own protocol.")
    await receive()
    offered = scope.get("subprotocols", [])
    await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if SUBPROTOCOL in offered else None})
    socket = ChannelSocket(scope["pass"], connection)
    guard.add(socket)
    slow_readers.add(connection)
    connection.hand_over(socket)


class ChannelSocket:
    """One client: its rights, and what it follows."""

    def __init__(self, entry: Pass, connection: SocketProtocol) -> None:
        self._pass, self._connection = entry, connection
        self._followed: dict[str, Subscription] = {}
        self._when_drained: list[Callable[[], None]] = []
        self._minute = self._asked = 0

    @property
    def bearer(self) -> Bearer:
        """Whose rights keep this socket open."""
        return self._pass.bearer

    @property
    def rights(self) -> frozenset[str]:
        """The rights it was admitted with."""
        return self._pass.rights

    @property
    def framing(self) -> Framing:
        """Each text is one message."""
        return text_frames

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""
        return self._connection.is_open

    @property
    def unsent(self) -> int:
        """Bytes that the client has not read yet."""
        return self._connection.unsent

    def write(self, frames: bytes) -> None:
        """Send whole frames, without waiting."""
        self._connection.write_frames(frames)

    def when_drained(self, again: Callable[[], None]) -> None:
        """Call back once the client has read nearly everything."""
        self._when_drained.append(again)
        self._connection.drained = self._drained

    def _drained(self) -> None:
        waiting, self._when_drained = self._when_drained, []
        for again in waiting:
            again()

    def end(self, code: CloseCode, reason: str) -> None:
        """Close the socket; nothing is sent or answered from now on."""
        self._connection.end(code, reason)
        self._let_go()

    def ended(self) -> None:
        """The connection is gone."""
        guard.remove(self)
        slow_readers.remove(self._connection)
        self._let_go()

    def _let_go(self) -> None:
        self._when_drained.clear()
        for name in list(self._followed):
            self._forget(name)

    def _forget(self, name: str) -> None:
        if subscription := self._followed.pop(name, None):
            broadcaster.remove(subscription)

    async def answer(self, text: str) -> None:
        """Carry out a message's request. Unreadable messages are answered like any other bad request."""
        if not self.is_open:
            return
        if len(text) > LARGEST_FRAME:  # the server has refused most of these already
            self.end(CloseCode.TOO_LARGE, f"a frame may have at most {LARGEST_FRAME} bytes")
            return
        try:
            content = strict_json.loads(text.encode())
        except ValueError:
            content = None
        request_id: object = None
        begin: list[Callable[[], None]] = []
        try:
            request_id = requests.id_of(content)
            self._count(content)
            frame = {"id": request_id, "ok": True, **await self._operate(content, begin)}
        except RequestRefused as refused:
            frame = {"id": request_id, "ok": False, "error": refused.body}
        except Exception as error:  # PostgreSQL or Redis is away: the client may try again
            log.warning("socket_operation_failed", error=type(error).__name__)
            body = RequestRefused("unavailable", "try again in a few seconds", temporary=True).body
            frame = {"id": request_id, "ok": False, "error": body}
        if self.is_open:
            self.write(text_frame(_as_json(frame)))
            for each in begin:
                each()

    def _count(self, content: Any) -> None:
        """Limit one socket's requests per minute; subscribing to further channels is free, up to the limit for those.

        Raises:
            RequestRefused: it made too many requests.
        """
        if self._follows_more(content):
            return
        minute = int(time.monotonic() // MINUTE)
        self._asked = self._asked + 1 if minute == self._minute else 1
        self._minute = minute
        if self._asked > settings.LIMIT_PER_TICKET:
            raise RequestRefused(
                "too-many-requests",
                f"a socket may make {settings.LIMIT_PER_TICKET} requests a minute, not counting subscriptions; wait",
                temporary=True,
            )

    def _follows_more(self, content: Any) -> bool:
        if not isinstance(content, dict) or content.get("op") != "subscribe":
            return False
        named = content.get("channels")
        names = list(named) if isinstance(named, dict) else [content.get("channel")]
        more = [name for name in names if isinstance(name, str) and name not in self._followed]
        return bool(more) and len(more) == len(names) and len(self._followed) + len(more) <= MOST_CHANNELS

    async def _operate(self, content: Any, begin: list[Callable[[], None]]) -> dict[str, Any]:
        """The answer to a request. ``begin``: the subscriptions to start after it."""
        match requests.operation_of(content):
            case "subscribe" if requests.asks_for_many(content):
                return await self._subscribe_to_many(requests.channels_of(content), begin)
            case "subscribe":
                name = requests.channel_of(content)
                start = requests.start_of(content)
                self._check(name, further=0)
                found = await self._positions([name])
                return self._follow(name, start, found[name], begin)
            case "unsubscribe":
                self._forget(requests.channel_of(content))
        return {}

    async def _subscribe_to_many(self, asked: dict[str, Any], begin: list[Callable[[], None]]) -> dict[str, Any]:
        starts: dict[str, Start] = {}
        answers: dict[str, dict[str, Any]] = {}
        for name, content in asked.items():
            try:
                start = requests.start_of_one_of_many(name, content)
                self._check(name, further=len(set(starts) - set(self._followed)))
                starts[name] = start
            except RequestRefused as refused:
                answers[name] = {"ok": False, "error": refused.body}
        found = await self._positions(list(starts))
        for name, start in starts.items():
            answers[name] = {"ok": True, **self._follow(name, start, found[name], begin)}
        return {"channels": {name[:LONGEST_NAME]: answers[name] for name in asked}}

    def _check(self, name: str, *, further: int) -> None:
        """Refuse a channel that may not be followed. ``further``: how many this request adds before it.

        Raises:
            RequestRefused: the ticket does not cover it, or the socket follows as many channels as it may.
        """
        if not self._pass.covers(name):
            raise RequestRefused("forbidden", "this ticket does not cover that channel")
        if name not in self._followed and len(self._followed) + further >= MOST_CHANNELS:
            raise RequestRefused("too-many-channels", f"a socket follows at most {MOST_CHANNELS} channels")

    async def _positions(self, names: list[str]) -> dict[str, Position]:
        await broadcaster.listen()
        keys = [ChannelKey(self._pass.organization_id, name) for name in names]
        found = await threads.entrance.run(positions, keys) if keys else {}
        return {key.name: where for key, where in found.items()}

    def _follow(self, name: str, start: Start, where: Position, begin: list[Callable[[], None]]) -> dict[str, Any]:
        if not self.is_open:
            return {}
        recovered = _can_resume(start, where)
        cursor = start.after if start.after is not None and recovered else where.last
        begin.append(partial(self._begin, name, cursor, where.last))
        answer: dict[str, Any] = {"epoch": where.epochs[0], "last": where.last}
        return answer if recovered else {**answer, "recovered": False}

    def _begin(self, name: str, cursor: int, last: int) -> None:
        """Follow a channel, replacing an earlier subscription to it."""
        self._forget(name)
        self._followed[name] = Subscription(self, ChannelKey(self._pass.organization_id, name), cursor, FIRST_PAGE)
        broadcaster.add(self._followed[name], last)


def _can_resume(start: Start, where: Position) -> bool:
    """Whether the log still has everything after the client's cursor."""
    if start.after is None:
        return True
    return start.after <= where.last and start.epoch in (None, *where.epochs)


def _as_json(frame: dict[str, Any]) -> bytes:
    """An answer repeats what it was asked, also numbers and characters that only Python's own library writes."""
    try:
        return orjson.dumps(frame)
    except TypeError:
        return json.dumps(frame).encode()
