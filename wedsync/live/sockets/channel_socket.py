"""The socket at ``/ws/channels/``, subprotocol ``wedsync.v1``. docs/developers/realtime.md.

A plain ASGI application that accepts and then hands the connection over, so that an idle client costs no task. The
broadcaster and the replays write events to the client, without waiting, from the log and in order; so nothing is lost,
doubled or reordered (docs/adr/0091). What clients ask is carried out by :mod:`wedsync.live.sockets.operations`.
"""

import json
import time
from typing import Any

import orjson
import structlog
from django.conf import settings

from wedsync.live.access.passes import Pass
from wedsync.live.close_codes import CloseCode
from wedsync.live.error_codes import ErrorCode
from wedsync.live.fan_out.slow_readers import slow_readers
from wedsync.live.fan_out.subscriptions import Framing
from wedsync.live.open_clients import ConnectedClient, open_clients
from wedsync.live.sockets.frames import text_frame, text_frames
from wedsync.live.sockets.idle_sockets import idle_sockets
from wedsync.live.sockets.operations.requests import Request, RequestRefused, id_of
from wedsync.live.sockets.operations.table import operation_of
from wedsync.live.sockets.request_counts import RequestCount
from wedsync.live.sockets.server_protocol import EXTENSION, SocketProtocol
from wedsync.live.sockets.subprotocol import to_accept
from wedsync.wire import strict_json

log = structlog.get_logger(__name__)
LARGEST_FRAME = 64 * 1024  # bytes, as uvicorn's ws_max_size in wedsync.web.server
_TOO_MANY = f"a socket may make {settings.LIMIT_PER_SOCKET} requests a second; follow many channels by one request"


async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Accept one client that the entrance has let in, and serve it from then on."""
    connection: SocketProtocol = scope["extensions"][EXTENSION]
    await receive()
    await send({"type": "websocket.accept", "subprotocol": to_accept(scope)})
    socket = ChannelSocket(scope["pass"], connection, (scope.get("client") or ("",))[0])
    open_clients.add(socket)
    slow_readers.add(connection)
    idle_sockets.note(socket, follows=False)
    connection.hand_over(socket)


class ChannelSocket(ConnectedClient[SocketProtocol]):
    """One client: its rights, and what it follows."""

    transport = "socket"

    def __init__(self, pass_: Pass, connection: SocketProtocol, address: str) -> None:
        super().__init__(pass_, connection, address)
        self._requests = RequestCount()

    @property
    def framing(self) -> Framing:
        """Each text is one message."""
        return text_frames

    def write(self, frames: bytes) -> None:
        """Send whole frames, without waiting."""
        self._connection.write_frames(frames)

    @property
    def close_code(self) -> int:
        """Why the socket ended; 1006: the connection broke."""
        return self._connection.close_code

    def end(self, code: CloseCode, reason: str) -> None:
        """Close the socket; nothing is sent or answered from now on."""
        self._connection.end(code, reason)
        self._let_go()

    def ask_to_reconnect(self, pause: float) -> None:
        """Close for the end of the process; the client comes back after ``pause`` seconds."""
        self.end(CloseCode.DEPLOY, orjson.dumps({"come_back_after": pause}).decode())

    def ended(self) -> None:
        """The connection is gone."""
        open_clients.remove(self)
        slow_readers.remove(self._connection)
        idle_sockets.remove(self)
        self._let_go()

    def _let_go(self) -> None:
        self._when_drained.clear()
        self.followed.forget_all()

    async def answer(self, text: str) -> None:
        """Carry out a message's request. Unreadable messages are answered like any other bad request."""
        if not self.is_open:
            return
        if len(text) > LARGEST_FRAME:  # the server has refused most of these already
            self.end(CloseCode.TOO_LARGE, f"a frame may have at most {LARGEST_FRAME} bytes")
            return
        is_allowed = self._requests.allows_another(time.monotonic())
        if self._requests.goes_on:
            self.end(CloseCode.TOO_MANY_REQUESTS, "it went on after its requests were refused")
            return
        try:
            content = strict_json.loads(text.encode())
        except ValueError:
            content = None
        request = Request(self, self.pass_, self.followed, content)
        request_id: object = None
        try:
            request_id = id_of(content)
            if not is_allowed:
                raise RequestRefused(ErrorCode.TOO_MANY_REQUESTS, _TOO_MANY)
            frame = {"id": request_id, "ok": True, **await operation_of(content).carry_out(request)}
        except RequestRefused as refused:
            frame = {"id": request_id, "ok": False, "error": refused.body}
        except Exception as error:  # PostgreSQL or Redis is away: the client may try again
            log.warning("socket_operation_failed", error=type(error).__name__)
            body = RequestRefused(ErrorCode.UNAVAILABLE, "try again in a few seconds").body
            frame = {"id": request_id, "ok": False, "error": body}
        if self.is_open:
            self.write(text_frame(_as_json(frame)))
            request.answered()
            idle_sockets.note(self, follows=len(self.followed) > 0)


def _as_json(frame: dict[str, Any]) -> bytes:
    """An answer repeats what it was asked, also numbers and characters that only Python's own library writes."""
    try:
        return orjson.dumps(frame)
    except TypeError:
        return json.dumps(frame).encode()
