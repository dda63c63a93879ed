"""The socket at ``/ws/channels/``, subprotocol ``wedsync.v1``. docs/developers/realtime.md.

A socket owns a cursor per channel. Hints and the follower only say "look"; what is sent is read from the log behind
the cursor, in order, so nothing is lost, doubled or reordered.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import structlog
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings

from wedsync.database.threads import in_thread
from wedsync.live.access.rights import Bearer, guard
from wedsync.live.access.tickets import Pass
from wedsync.live.channels import MOST_CHANNELS, check_name
from wedsync.live.fan_out.follower import follower
from wedsync.live.log.reader import ChannelKey, Position, frames_after, position
from wedsync.wire import strict_json

log = structlog.get_logger(__name__)
SUBPROTOCOL = "wedsync.v1"
PAGE = 100
LARGEST_FRAME = 64 * 1024  # bytes, as uvicorn's --ws-max-size in the Procfile
CLOSE_TOO_LARGE = 1009
MINUTE = 60  # seconds
_FIELDS = {  # of each operation
    "subscribe": frozenset({"id", "op", "channel", "after", "epoch"}),
    "unsubscribe": frozenset({"id", "op", "channel"}),
    "ping": frozenset({"id", "op"}),
}


@dataclass
class Subscription:
    """A followed channel: the last sequence sent, and whether the log may hold more."""

    place: ChannelKey
    cursor: int
    may_have_more: bool = True


class RequestRefused(Exception):
    """An operation that cannot be done; becomes the error of its answer."""

    def __init__(self, code: str, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.body = {"code": code, "message": message, "temporary": temporary}


class ChannelConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One client."""

    channel_layer_alias = None  # the follower hears the hints for all sockets of the process

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._followed: dict[str, Subscription] = {}
        self._more = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._ended = False
        self._minute, self._asked = 0, 0

    async def connect(self) -> None:
        """Begin to serve; the entrance has let this client in."""
        offered = self.scope.get("subprotocols", [])
        await self.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
        self._pump = asyncio.get_running_loop().create_task(self._send_entries())
        guard.add(self)

    @property
    def _pass(self) -> Pass:
        entry: Pass = self.scope["pass"]
        return entry

    @property
    def bearer(self) -> Bearer:
        """By whose right this socket is open."""
        return self._pass.bearer

    @property
    def rights(self) -> frozenset[str]:
        """What that allowed at the entrance."""
        return self._pass.rights

    async def end(self, code: int, reason: str) -> None:
        """Close the socket; nothing is sent or answered from here on."""
        self._stop()
        await self.close(code=code, reason=reason)

    async def disconnect(self, code: int) -> None:
        """Forget all subscriptions."""
        guard.remove(self)
        self._stop()

    def _stop(self) -> None:
        self._ended = True
        if self._pump:
            self._pump.cancel()
        for name in list(self._followed):
            self._forget(name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        """Unreadable messages are answered like any other bad request."""
        if self._ended:
            return
        if len(text_data or bytes_data or "") > LARGEST_FRAME:  # the server refuses most of them before
            await self.end(CLOSE_TOO_LARGE, f"a frame may have at most {LARGEST_FRAME} bytes")
            return
        try:
            content = strict_json.loads((text_data or "").encode())
        except ValueError:
            content = None
        await self.receive_json(content)

    async def receive_json(self, content: Any, **_: Any) -> None:
        """Answer one operation."""
        request_id = content.get("id") if isinstance(content, dict) else None
        try:
            self._count(content)
            answer = await self._operate(content)
            frame = {"id": request_id, "ok": True, **answer}
        except RequestRefused as refused:
            frame = {"id": request_id, "ok": False, "error": refused.body}
        except Exception as error:  # PostgreSQL or Redis is away: the client may ask again
            log.warning("socket_operation_failed", error=type(error).__name__)
            body = RequestRefused("unavailable", "try again in a few seconds", temporary=True).body
            frame = {"id": request_id, "ok": False, "error": body}
        if not self._ended:
            await self.send_json(frame)
            self._more.set()

    def _count(self, content: Any) -> None:
        """Bound what one socket asks in a minute; to follow a further channel is free, up to as many as it may follow.

        Raises:
            RequestRefused: it asked too much.
        """
        if self._follows_more(content):
            return
        minute = int(time.monotonic() // MINUTE)
        self._asked = self._asked + 1 if minute == self._minute else 1
        self._minute = minute
        if self._asked > settings.LIMIT_PER_TICKET:
            raise RequestRefused(
                "too-many-requests",
                f"a socket may make {settings.LIMIT_PER_TICKET} requests a minute besides following channels; wait",
                temporary=True,
            )

    def _follows_more(self, content: Any) -> bool:
        if not isinstance(content, dict) or content.get("op") != "subscribe":
            return False
        name = content.get("channel")
        return isinstance(name, str) and name not in self._followed and len(self._followed) < MOST_CHANNELS

    async def _operate(self, content: Any) -> dict[str, Any]:
        if not isinstance(content, dict):
            raise RequestRefused("bad-request", "send one JSON object per message")
        operation = content.get("op")
        known = _FIELDS.get(operation) if isinstance(operation, str) else None
        if known is None:
            raise RequestRefused("unknown-op", f"op is one of {', '.join(_FIELDS)}")
        if unknown := sorted(set(content) - known):
            named = ", ".join(name[:60] for name in unknown[:20])
            raise RequestRefused("bad-request", f"{operation} has no such field: {named}")
        match operation:
            case "subscribe":
                return await self._subscribe(content)
            case "unsubscribe":
                self._forget(_channel(content))
        return {}

    async def _subscribe(self, content: dict[str, Any]) -> dict[str, Any]:
        name, after = _channel(content), content.get("after")
        if after is not None and (isinstance(after, bool) or not isinstance(after, int) or after < 0):
            raise RequestRefused("bad-request", "after is the last sequence that you have seen, a whole number from 0")
        if not self._pass.covers(name):
            raise RequestRefused("forbidden", "this ticket does not cover that channel")
        if len(self._followed) >= MOST_CHANNELS and name not in self._followed:
            raise RequestRefused("too-many-channels", f"a socket follows at most {MOST_CHANNELS} channels")
        return await self._follow(name, after, content.get("epoch"))

    async def _follow(self, name: str, after: int | None, epoch: object) -> dict[str, Any]:
        await follower.listen()
        place = ChannelKey(self._pass.organization_id, name)
        where = await in_thread(position, place)
        if self._ended:
            return {}
        recovered = _can_resume(where, after, epoch)
        cursor = after if after is not None and recovered else where.last
        self._followed[name] = Subscription(place, cursor)
        follower.add(place, self)
        answer: dict[str, Any] = {"epoch": where.epochs[0], "last": where.last}
        return answer if recovered else {**answer, "recovered": False}

    def _forget(self, name: str) -> None:
        subscription = self._followed.pop(name, None)
        if subscription:
            follower.remove(subscription.place, self)

    def wake(self, place: ChannelKey, last: int | None) -> None:
        """The follower knows of something new, or how far a channel has come."""
        subscription = self._followed.get(place.name)
        if subscription and (last is None or last > subscription.cursor):
            self._look_again(subscription)

    def _look_again(self, subscription: Subscription) -> None:
        subscription.may_have_more = True
        self._more.set()

    async def _send_entries(self) -> None:
        """Send what lies behind the cursors, a page of each channel in turn, for as long as the socket lives."""
        while True:
            await self._more.wait()
            self._more.clear()
            for subscription in list(self._followed.values()):
                try:
                    await self._send_page(subscription)
                except OSError:
                    return
                except Exception as error:  # the follower will wake this socket again
                    log.warning("entries_not_read", error=type(error).__name__)

    async def _send_page(self, subscription: Subscription) -> None:
        if not subscription.may_have_more:
            return
        subscription.may_have_more = False
        frames = await in_thread(frames_after, subscription.place, subscription.cursor, PAGE)
        for frame in frames:
            if self._followed.get(subscription.place.name) is not subscription:
                return
            await self.send_json(frame)
            subscription.cursor = frame["sequence"]
        if len(frames) == PAGE:
            self._look_again(subscription)


def _channel(content: dict[str, Any]) -> str:
    try:
        return check_name(str(content.get("channel")))
    except ValueError as error:
        raise RequestRefused("bad-channel", str(error)) from error


def _can_resume(where: Position, after: int | None, epoch: object) -> bool:
    """Whether the log still holds everything behind the client's cursor."""
    if after is None:
        return True
    return after <= where.last and epoch in (None, *where.epochs)
