"""Follows the live channels as a browser does: one socket, opened with a ticket."""

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from wedsync.demo.outside import TIMEOUT, Outside, Unexpected

SUBPROTOCOL = "wedsync.v1"


@dataclass(frozen=True)
class Frame:
    """An event shown on a channel, and when it reached us (Unix time)."""

    at: float
    channel: str
    event: dict[str, Any]

    @property
    def text(self) -> str:
        """The payload as text, to be searched."""
        return json.dumps(self.event["payload"], ensure_ascii=False)


class Listener:
    """Follows channels for the duration of a ``with`` block."""

    def __init__(self, outside: Outside, channels: Iterable[str]) -> None:
        ticket = outside.api("POST", "/api/channels/tickets/", {})["ticket"]
        url = f"{outside.facts['ws_url']}?ticket={ticket}"
        self._socket = connect(url, subprotocols=[SUBPROTOCOL], open_timeout=TIMEOUT, proxy=None)  # type: ignore[list-item]
        self._frames: list[Frame] = []
        for number, channel in enumerate(channels):
            self._subscribe(number, channel)
        self._thread = threading.Thread(target=self._listen, name="live channels", daemon=True)

    def _subscribe(self, number: int, channel: str) -> None:
        self._socket.send(json.dumps({"id": number, "op": "subscribe", "channel": channel}))
        answer = json.loads(self._socket.recv(TIMEOUT))
        if not answer.get("ok"):
            raise Unexpected(f"The channel {channel} could not be followed: {answer}")

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._thread.join(TIMEOUT)

    def frames(self) -> list[Frame]:
        """Everything shown so far."""
        return list(self._frames)

    def _listen(self) -> None:
        try:
            for text in self._socket:
                frame = json.loads(text)
                if frame.get("op") == "event":
                    self._frames.append(Frame(time.time(), frame["channel"], frame["event"]))
        except ConnectionClosed:
            return
