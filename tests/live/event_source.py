"""A client of streams that reads line by line, as a browser does, and checks all it is told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse, IncompleteRead
from typing import Any, Self
from urllib.parse import urlencode

from tests.asyncapi import check_told
from tests.live.world import World
from tests.raw_http import RawConnection

PATH = "/api/channels/events/"


@dataclass(frozen=True)
class Told:
    """One event. ``id``: the last one that the stream had named by then."""

    name: str
    data: Any
    id: str


class EventSource:
    """One stream.

    Arguments:
        resume: the id of an earlier one's last event.
        port: of another web process than the product's first.
    """

    def __init__(
        self,
        world: World,
        channels: Sequence[str],
        *,
        resume: str = "",
        headers: Mapping[str, str] | None = None,
        port: int | None = None,
        patience: float = 10,
        buffer: int | None = None,
        version: str = "1.1",
        **parameters: str,
    ) -> None:
        query = urlencode([*(("channel", name) for name in channels), *parameters.items()])
        own = {"Last-Event-ID": resume} if resume else {}
        sent = {**(world.headers if headers is None else headers), **own}
        lines = [f"GET {PATH}?{query} HTTP/{version}", "Host: 127.0.0.1", *(f"{k}: {v}" for k, v in sent.items())]
        self.connection = RawConnection(port or world.product.port, patience=patience, buffer=buffer)
        self.connection.send("\r\n".join([*lines, "", ""]).encode())
        self.id = resume
        self.comments = 0
        self.retry: int | None = None

    def open(self) -> Self:
        """Read the answer's head.

        Raises:
            AssertionError: it was refused.
        """
        self.answer = HTTPResponse(self.connection)  # type: ignore[arg-type]  # it only needs makefile()
        self.answer.begin()
        assert self.answer.status == 200, self.answer.read()
        return self

    def refusal(self) -> tuple[int, str]:
        with self.connection:
            return self.connection.answer().problem

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.connection.socket.close()

    def told(self) -> Told:
        """The next event.

        Raises:
            EOFError: the stream has ended.
            OSError: the connection broke.
        """
        name, data, id_ = "message", None, self.id
        while line := self._line():
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if not field and data is not None:
                self.id = id_
                found = Told(name, json.loads(data), id_)
                check_told(found.name, found.data)
                return found
            match field:
                case "id":
                    id_ = value
                case "event":
                    name = value
                case "data":
                    data = value
                case "retry":
                    self.retry = int(value)
                case ":":
                    self.comments += 1
        raise EOFError

    def _line(self) -> bytes:
        try:
            return self.answer.readline()
        except IncompleteRead as error:
            raise ConnectionResetError("in the middle of the answer") from error

    def sequences(self, count: int) -> list[tuple[str, int]]:
        """Channel and sequence of the next events, which must be ones of the log."""
        found = [self.told() for _ in range(count)]
        assert {told.name for told in found} <= {"message"}, found
        return [(told.data["channel"], told.data["sequence"]) for told in found]
