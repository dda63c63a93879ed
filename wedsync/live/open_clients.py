"""The sockets and streams that are open in this process: whose rights keep them open, and what ends them.

Every transport registers its clients here, once, and takes them out once.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import structlog

from wedsync.ids import new_id
from wedsync.live import metrics
from wedsync.live.access.bearers import Bearer
from wedsync.live.access.passes import Pass
from wedsync.live.access.rights import Guarded, guard
from wedsync.live.fan_out.followed import Followed
from wedsync.web.direct_writes import DirectWrites
from wedsync.web.draining import LongLived, drain

log = structlog.get_logger(__name__)

Connection = TypeVar("Connection", bound=DirectWrites)


class OpenClient(Guarded, LongLived, Protocol):
    """A socket or a stream."""

    @property
    def transport(self) -> str:
        """``socket`` or ``stream``."""

    @property
    def pass_(self) -> Pass:
        """Who it is, and what it may do."""

    @property
    def followed(self) -> Followed:
        """The channels that it follows."""

    @property
    def address(self) -> str:
        """The client's address, as the trusted proxies tell it; empty if unknown."""

    @property
    def bytes_written(self) -> int:
        """What was written to it so far."""

    @property
    def close_code(self) -> int:
        """Why it ended, once it has; 1006: the connection broke."""


class ConnectedClient(Generic[Connection]):
    """What sockets and streams have in common: a pass, the channels followed by it, and a connection."""

    __slots__ = ("_connection", "_when_drained", "address", "followed", "pass_")

    def __init__(self, pass_: Pass, connection: Connection, address: str) -> None:
        self.pass_, self._connection, self.address = pass_, connection, address
        self.followed = Followed(pass_.organization_id)
        self._when_drained: list[Callable[[], None]] = []

    @property
    def bearer(self) -> Bearer:
        """Whose rights keep it open."""
        return self.pass_.bearer

    @property
    def rights(self) -> frozenset[str]:
        """The rights it was admitted with."""
        return self.pass_.rights

    @property
    def is_open(self) -> bool:
        """Whether anything can still be written."""
        return self._connection.is_open

    @property
    def unsent(self) -> int:
        """Bytes that the client has not read yet."""
        return self._connection.unsent

    @property
    def bytes_written(self) -> int:
        """What was written to the client so far."""
        return self._connection.written

    def when_drained(self, again: Callable[[], None]) -> None:
        """Call back once the client has read nearly everything."""
        self._when_drained.append(again)
        self._connection.drained = self._drained

    def _drained(self) -> None:
        waiting, self._when_drained = self._when_drained, []
        for again in waiting:
            again()


@dataclass(frozen=True, slots=True)
class Listing:
    """An open client, by which it can be found again. ``since``: Unix seconds."""

    id: str
    client: OpenClient
    since: float


class OpenClients:
    """All of this process."""

    def __init__(self) -> None:
        self._open: dict[OpenClient, Listing] = {}

    def __iter__(self) -> Iterator[Listing]:
        return iter(list(self._open.values()))

    def add(self, client: OpenClient) -> None:
        """A client was admitted."""
        guard.add(client)
        drain.add(client)
        metrics.clients.labels(client.transport).inc()
        self._open[client] = Listing(str(new_id()), client, time.time())

    def remove(self, client: OpenClient) -> None:
        """Its connection is gone. Does nothing the second time."""
        listing = self._open.pop(client, None)
        if listing is None:
            return
        guard.remove(client)
        drain.remove(client)
        person, code, written = client.pass_.person, client.close_code, client.bytes_written
        metrics.clients.labels(client.transport).dec()
        metrics.ended.labels(client.transport, str(code)).inc()
        metrics.bytes_written.labels(client.transport).inc(written)
        log.info(
            "live_client_ended",
            transport=client.transport,
            who=f"{person.kind}:{person.id}",
            organization=str(client.pass_.organization_id),
            seconds=round(time.time() - listing.since, 1),
            code=code,
            events=client.followed.events_written,
            bytes=written,
        )


open_clients = OpenClients()
