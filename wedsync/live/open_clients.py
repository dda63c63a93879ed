"""The sockets and streams that are open in this process: whose rights keep them open, and what ends them.

Every transport registers its clients here, once, and takes them out once.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import structlog

from wedsync.ids import new_id
from wedsync.live import metrics
from wedsync.live.access.passes import Pass
from wedsync.live.access.rights import Guarded, guard
from wedsync.live.fan_out.followed import Followed
from wedsync.web.draining import LongLived, drain

log = structlog.get_logger(__name__)


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
