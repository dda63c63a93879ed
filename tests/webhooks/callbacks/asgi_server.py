"""The providers' door, asked as an ASGI server asks it."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from webhooks.callbacks.receiver import CallbackReceiver
from webhooks.callbacks.storing import CallbackReceived, store_callbacks
from webhooks.committer import Committer
from webhooks.doors import Doors
from webhooks.front_door import PACE
from webhooks.rejections import Rejected, store_rejected
from webhooks.requests.large_bodies import LargeBodies
from wedsync.web.request_bodies import BodyReader
from wedsync.web.transfers import Room


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def slug(self) -> str:
        assert self.headers["content-type"] == "application/problem+json"
        return str(json.loads(self.body)["type"]).removeprefix("/problems/")


@dataclass
class Server:
    """Speaks ASGI with the door, once or many times at once."""

    doors: Doors

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        (answer,) = self.ask_at_once((method, path, headers or {}, body))
        return answer

    def ask_at_once(self, *requests: tuple[str, str, dict[str, str], bytes]) -> list[Answer]:
        async def ask() -> list[Answer]:
            committer: Committer[CallbackReceived, int | None] = Committer(store_callbacks)
            rejections: Committer[Rejected, None] = Committer(store_rejected, writers=1)
            committer.start()
            rejections.start()
            bodies = BodyReader(Room(64 * 1024 * 1024), PACE)
            callbacks = CallbackReceiver(self.doors, bodies, LargeBodies(), committer, rejections)
            try:
                return await asyncio.gather(*[_answer(callbacks, *request) for request in requests])
            finally:
                await committer.stop()
                await rejections.stop()

        return asyncio.run(ask())


async def _answer(callbacks: CallbackReceiver, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await callbacks(scope, receive, send)
    start, content, *_ = sent
    named = {name.decode(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], named, content["body"])
