"""Open doors: connections with their live secrets and limits, cached for two seconds in the web process."""

import asyncio
import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError

from integrations.models import Connection, ConnectionSecret
from integrations.systems.connection_secrets import live_secret
from integrations.vendors import VENDORS
from integrations.vendors.base import Vendor
from webhooks.committer import StorageAway
from wedsync import vault
from wedsync.database.threads import in_thread
from wedsync.env import ConfigurationError

log = structlog.get_logger(__name__)
Purpose = ConnectionSecret.Purpose
REMEMBERED = 2.0  # seconds
MOST_REMEMBERED = 10_000
MOST_AT_ONCE = 4  # concurrent look-ups for senders over their limit
LOOK_UP_WITHIN = 0.6  # seconds; together with the committer's wait an answer takes less than the promised 2

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class Door:
    """The data of a connection that a receiver needs. ``secrets``: live signing ones, newest first.

    Ids are strings, as in statements and channel names.
    """

    connection_id: str
    organization_id: str
    system_id: str
    kind: str
    secrets: tuple[str, ...]
    secret_ids: tuple[str, ...]
    handshakes: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    limit_per_hour: int | None = None

    @property
    def vendor(self) -> Vendor:
        """The adapter of its kind; only for doors of vendors."""
        return VENDORS[self.kind]

    @property
    def is_of_a_vendor(self) -> bool:
        """Whether it receives a vendor's events; otherwise it receives a provider's callbacks."""
        return self.kind in VENDORS

    def spares(self, address: str) -> bool:
        """Whether the address is in one of the vendor's own networks."""
        if not self.networks:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.networks)


@dataclass
class _Remembered:
    door: Door | None
    until: float


@dataclass
class Doors:
    """A small cache, so that a stream of webhooks does not query the database for each one."""

    _known: dict[str, _Remembered] = field(default_factory=dict)
    _asking: dict[str, "asyncio.Task[Door | None]"] = field(default_factory=dict)

    def last_known(self, connection_id: str) -> Door | None:
        """The door as it was when it was last looked up, however long ago."""
        found = self._known.get(connection_id)
        return found.door if found else None

    async def find(self, connection_id: str) -> Door | None:
        """The door, or ``None`` if there is none or it is disabled. Concurrent callers share one query.

        While PostgreSQL does not answer, a door that was open at the last look-up counts as open.

        Raises:
            StorageAway: PostgreSQL does not answer, and the door was not open before; or none of its secrets can be
                decrypted.
        """
        found = self._known.get(connection_id)
        if found is not None and found.until > time.monotonic():
            return found.door
        if not _could_be_an_id(connection_id):
            return None
        try:
            return await asyncio.wait_for(asyncio.shield(self._asked(connection_id)), LOOK_UP_WITHIN)
        except (TimeoutError, OperationalError, InterfaceError) as error:
            if found is None or found.door is None:
                raise StorageAway("the connection could not be looked up") from error
            return found.door

    def look_up_soon(self, connection_id: str) -> None:
        """Look the door up for later requests, unless many look-ups are under way."""
        if connection_id not in self._known and len(self._asking) < MOST_AT_ONCE and _could_be_an_id(connection_id):
            self._asked(connection_id)

    def _asked(self, connection_id: str) -> "asyncio.Task[Door | None]":
        asking = self._asking.get(connection_id)
        if asking is None:
            asking = asyncio.get_running_loop().create_task(self._ask(connection_id))
            self._asking[connection_id] = asking
            asking.add_done_callback(lambda done: self._answered(connection_id, done))
        return asking

    def _answered(self, connection_id: str, done: "asyncio.Task[Door | None]") -> None:
        self._asking.pop(connection_id, None)
        if not done.cancelled():
            done.exception()  # the callers have seen it; keeps asyncio from complaining that nobody did

    async def _ask(self, connection_id: str) -> Door | None:
        door = await in_thread(_load, connection_id)
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[connection_id] = _Remembered(door, time.monotonic() + REMEMBERED)
        return door


def _could_be_an_id(text: str) -> bool:
    return 0 < len(text) <= 40 and text.isascii() and text.isprintable()


def _load(connection_id: str) -> Door | None:
    found = (
        Connection.objects.select_related("system")
        .exclude(state=Connection.Status.DISABLED)
        .filter(id=connection_id)
        .first()
    )
    if found is None:
        return None
    live = list(found.secrets.filter(live_secret()).order_by("-created_at", "-id"))
    texts = _readable(live)
    signing = [secret for secret in live if secret.purpose == Purpose.SIGNING and secret.id in texts]
    return Door(
        connection_id=found.id,
        organization_id=str(found.organization_id),
        system_id=str(found.system_id),
        kind=found.system.kind,
        secrets=tuple(texts[secret.id] for secret in signing),
        secret_ids=tuple(str(secret.id) for secret in signing),
        handshakes=tuple(
            texts[secret.id] for secret in live if secret.purpose == Purpose.HANDSHAKE and secret.id in texts
        ),
        networks=tuple(ipaddress.ip_network(network, strict=False) for network in found.networks),
        limit_per_hour=found.limit_per_hour,
    )


def _readable(live: Sequence[ConnectionSecret]) -> dict[UUID, str]:
    """The secrets in plain text. One that our keys cannot decrypt is left out if there is another.

    Raises:
        StorageAway: none can be decrypted, so signatures cannot be verified.
    """
    texts = {}
    for secret in live:
        try:
            texts[secret.id] = vault.decrypt(secret.sealed)
        except ConfigurationError as error:
            log.error("secret_unreadable", row=str(secret.id), connection=secret.connection_id, error=str(error))
    if live and not texts:
        raise StorageAway("no secret of the connection can be decrypted")
    return texts
