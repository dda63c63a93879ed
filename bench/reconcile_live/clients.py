"""Clients that follow channels from their beginning, drop at random, and go on where they stopped.

Written from docs/developers/realtime.md and realtime-streams.md, sharing no code with the product.
"""

import asyncio
import contextlib
import json
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import websockets
from websockets.asyncio.client import connect

VISIT = (0.3, 6.0)  # seconds between connecting and dropping
PAUSE = (0.0, 0.5)  # seconds before connecting again
PATIENCE = 10.0  # seconds for an answer
LAST_VISIT = 60.0  # seconds, once nothing new is sent


@dataclass
class Followed:
    """What a client has got of one channel. ``got``: sequences and ids of events, in the order of their arrival."""

    after: int = 0
    epoch: str | None = None
    got: list[tuple[int, str]] = field(default_factory=list)
    unrecovered: int = 0


@dataclass
class Place:
    """Where clients connect, and how far they must come. ``goal``: the last sequence of each channel, once known."""

    ports: Sequence[int]
    key: str
    goal: Mapping[str, int] | None = None

    def origin(self) -> str:
        """One of the web processes."""
        return f"127.0.0.1:{random.choice(self.ports)}"

    @property
    def authorization(self) -> dict[str, str]:
        """The header of each request."""
        return {"Authorization": f"Bearer {self.key}"}


class Client(ABC):
    """One client. ``drops``: how often it left; ``cut``: how often it was cut off, or found nobody.

    Arguments:
        channels: followed from their beginning.
    """

    kind = ""

    def __init__(self, place: Place, session: aiohttp.ClientSession, channels: Sequence[str]) -> None:
        self._place, self._session = place, session
        self.channels = {name: Followed() for name in channels}
        self.drops = self.cut = 0
        self.told: dict[int, int] = {}
        """How often it was closed with each code, or answered with each status."""

    @property
    def _arrived(self) -> bool:
        goal = self._place.goal
        return goal is not None and all(each.after >= goal.get(name, 0) for name, each in self.channels.items())

    async def follow(self) -> None:
        """Follow until everything that is in the log has come."""
        while not self._arrived:
            seconds = random.uniform(*VISIT) if self._place.goal is None else LAST_VISIT
            try:
                async with asyncio.timeout(seconds), contextlib.aclosing(self._events()) as events:
                    async for event in events:
                        self._take(event)
                        if self._arrived:
                            return
                self.cut += 1
            except TimeoutError:
                self.drops += 1
            except (OSError, aiohttp.ClientError, websockets.WebSocketException):
                self.cut += 1
            await asyncio.sleep(random.uniform(*PAUSE))

    def _take(self, frame: Mapping[str, Any]) -> None:
        followed = self.channels[frame["channel"]]
        followed.after = frame["sequence"]
        followed.got.append((frame["sequence"], frame["event"]["id"]))

    def _note(self, code: int) -> None:
        self.told[code] = self.told.get(code, 0) + 1

    @abstractmethod
    def _events(self) -> AsyncGenerator[dict[str, Any]]:
        """Connect once, and yield each event's frame."""


class SocketClient(Client):
    """By WebSocket: a ticket for each connection, and one request for all its channels."""

    kind = "WebSocket"

    async def _events(self) -> AsyncGenerator[dict[str, Any]]:
        ticket = await self._ticket()
        url = f"ws://{self._place.origin()}/ws/channels/?ticket={ticket}"
        try:
            async with connect(url, subprotocols=["wedsync.v1"], open_timeout=PATIENCE, close_timeout=1) as socket:  # type: ignore[list-item]
                starts = {name: {"after": each.after, "epoch": each.epoch} for name, each in self.channels.items()}
                await socket.send(json.dumps({"id": 1, "op": "subscribe", "channels": starts}))
                async for text in socket:
                    message = json.loads(text)
                    if message.get("op") == "event":
                        yield message
                    else:
                        self._begin(message)
        except websockets.ConnectionClosed as closed:
            self._note(closed.rcvd.code if closed.rcvd else 1006)
            raise

    def _begin(self, answer: Mapping[str, Any]) -> None:
        if not answer["ok"]:
            raise OSError(answer["error"]["code"])
        for name, each in answer["channels"].items():
            followed = self.channels[name]
            followed.unrecovered += not each["ok"] or each.get("recovered") is False
            followed.epoch = each.get("epoch")

    async def _ticket(self) -> str:
        url = f"http://{self._place.origin()}/api/channels/tickets/"
        async with self._session.post(url, headers=self._place.authorization, json={}) as answer:
            self._note(answer.status)
            answer.raise_for_status()
            return str((await answer.json())["ticket"])


class StreamClient(Client):
    """By Server-Sent Events: its key, and the id of the last event for all its channels."""

    kind = "SSE"
    _last_event_id = ""

    async def _events(self) -> AsyncGenerator[dict[str, Any]]:
        names = [("channel", f"{name}@0") for name in self.channels]
        url = f"http://{self._place.origin()}/api/channels/events/"
        headers = dict(self._place.authorization)
        if self._last_event_id:
            headers["Last-Event-ID"] = self._last_event_id
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE, sock_read=LAST_VISIT)
        async with self._session.get(url, params=names, headers=headers, timeout=timeout) as stream:
            self._note(stream.status)
            stream.raise_for_status()
            lines: dict[str, str] = {}
            async for raw in stream.content:
                line = raw.decode().rstrip("\r\n")
                name, _, value = line.partition(":")
                if line:
                    lines[name] = value.removeprefix(" ")  # a comment has no name, and nobody asks for it
                    continue
                self._last_event_id = lines.get("id", self._last_event_id)
                if lines.get("event") == "unrecoverable":
                    self.channels[json.loads(lines["data"])["channel"]].unrecovered += 1
                elif "data" in lines and "event" not in lines:
                    yield json.loads(lines["data"])
                lines = {}
