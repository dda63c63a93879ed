"""One WebSocket to the live channels."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from .messages import LiveError
from .times import Times

SUBPROTOCOL = Subprotocol("wedsync.v1")


class Connection:
    """Iterate over it for what the server sends, but for the answers to ``ask``."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Mapping[str, Any]]] = {}

    async def __aiter__(self) -> AsyncIterator[Mapping[str, Any]]:
        """Everything until the connection ends.

        Raises:
            ConnectionClosed: it has ended.
        """
        try:
            while True:
                message = json.loads(await self._socket.recv())
                waiting = self._asked.pop(message.get("id"), None) if "ok" in message else None
                if waiting is None:
                    yield message
                elif not waiting.done():
                    waiting.set_result(message)
        finally:
            for each in self._asked.values():
                if not each.done():
                    each.set_exception(LiveError("the connection was lost before the answer came"))

    async def subscribe(self, starts: Mapping[str, Mapping[str, Any]]) -> None:
        """Ask for channels; the answer is among the messages."""
        await self._send({"op": "subscribe", "channels": starts, "id": next(self._ids)})

    async def ask(self, op: str, **fields: Any) -> Mapping[str, Any]:
        """The answer to a request.

        Raises:
            LiveError: it was refused, or the connection is lost.
        """
        number = next(self._ids)
        self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send({**fields, "op": op, "id": number})
        except ConnectionClosed as closed:
            self._asked.pop(number).cancel()
            raise LiveError("the connection is lost") from closed
        answer = await self._asked[number]
        if not answer["ok"]:
            raise LiveError(f"{answer['error']['message']} ({answer['error']['code']})")
        return answer

    async def answers_within(self, seconds: float) -> bool:
        """Whether a ping is answered in time."""
        try:
            await asyncio.wait_for(await self._socket.ping(), seconds)
        except (TimeoutError, ConnectionClosed):
            return False
        return True

    def cut_off(self) -> None:
        """End a connection that no longer answers, without a closing handshake."""
        self._socket.transport.abort()

    async def _send(self, content: Mapping[str, Any]) -> None:
        await self._socket.send(json.dumps(content))


@asynccontextmanager
async def opened(ticket: Mapping[str, Any], times: Times) -> AsyncIterator[Connection]:
    """A connection by a ticket, without a limit of time for its opening."""
    url = f"{ticket['ws_url']}?ticket={ticket['ticket']}"
    async with connect(
        url,
        subprotocols=[SUBPROTOCOL],
        open_timeout=None,
        ping_interval=times.ping,
        ping_timeout=times.patience,
        close_timeout=times.trust,
        max_size=None,
    ) as socket:
        yield Connection(socket)
