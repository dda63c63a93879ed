"""The door in of a web process, asked as an ASGI server asks it."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tests.senders import HERE, JSON, Answer, Pairs, Sender
from webhooks.front_door import FrontDoor


@asynccontextmanager
async def opened() -> AsyncIterator[FrontDoor]:
    """One that stores and counts; what was left to store is stored at the end."""
    door_in = FrontDoor()
    door_in.start()
    try:
        yield door_in
    finally:
        await door_in.stop()


async def ask(door_in: FrontDoor, sender: Sender, pieces: Iterable[bytes], headers: Pairs) -> Answer:
    """Post a body that comes in pieces."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": sender.path,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": (HERE, 1),
    }
    coming = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    coming.append({"type": "http.request"})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await door_in.at(sender.path)(scope, receive, send)
    start, *content = sent
    body = b"".join(piece["body"] for piece in content)
    answer = Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body)
    answer.check_form()
    return answer


async def post(door_in: FrontDoor, sender: Sender, body: bytes, *, secret: str | None = None) -> Answer:
    """As the vendor would."""
    return await ask(door_in, sender, [body], [JSON, *sender.sign(body, secret=secret).items()])
