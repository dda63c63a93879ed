"""How many sockets and streams may be open: per key or person, per address, and in this process (docs/adr/0095).

Every transport asks here before it admits a client, and lets go when the client's connection is gone.
"""

import ipaddress
from collections import Counter
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import structlog
from django.conf import settings

from wedsync.live import metrics
from wedsync.live.access.passes import Pass
from wedsync.live.close_codes import CloseCode

log = structlog.get_logger(__name__)
IPV6_CUSTOMER = 64  # bits; a customer with one of these addresses has them all
RECONNECT_SECONDS = 5

T = TypeVar("T")


class Refused(Exception):
    """No further client is admitted.

    Attributes:
        code: closes a socket; ``None``: the process is full, and the handshake is answered by HTTP alone.
        http_status: answers everything else.
        retry_after: seconds; ``None``: reconnecting does not help as long as the others stay.
    """

    def __init__(
        self, reason: str, *, code: CloseCode | None, http_status: int, retry_after: int | None = None
    ) -> None:
        super().__init__(reason)
        self.code, self.http_status, self.retry_after = code, http_status, retry_after


@dataclass(eq=False, slots=True)
class Slot:
    """What one client counts for: an address (empty if its network is spared) and, once admitted, a key or person."""

    address: str
    holder: UUID | None = None
    is_taken: bool = True


class Quotas:
    """All clients of this process, whatever their transport."""

    def __init__(self) -> None:
        self._open = 0
        self._of_address: Counter[str] = Counter()
        self._of_holder: Counter[UUID] = Counter()

    @property
    def open(self) -> int:
        """How many clients are open."""
        return self._open

    def admit(self, pass_: Pass, address: str) -> Slot:
        """Count one client that has a pass; give its slot to :meth:`leave` when it is gone.

        Raises:
            Refused: one of the quotas is used up.
        """
        slot = self.enter(address)
        try:
            self.name(slot, pass_)
        except Refused:
            self.leave(slot)
            raise
        return slot

    def enter(self, address: str) -> Slot:
        """Count one client before its rights are known, so that what is refused costs no query.

        Raises:
            Refused: the process is full, or its address has too many open.
        """
        if self._open >= settings.SOCKETS_PER_PROCESS:
            self._log("process")
            reason = "too many connections, try again in a few seconds"
            raise Refused(reason, code=None, http_status=503, retry_after=RECONNECT_SECONDS)
        counted = _counted(address)
        if counted and self._of_address[counted] >= settings.SOCKETS_PER_ADDRESS:
            self._log("address")
            raise _of_quota(f"{settings.SOCKETS_PER_ADDRESS} connections of this address are open already")
        self._open += 1
        if counted:
            self._of_address[counted] += 1
        return Slot(counted)

    def name(self, slot: Slot, pass_: Pass) -> None:
        """Count the client for its key or person too.

        Raises:
            Refused: too many are open.
        """
        if not slot.is_taken:  # the client has gone while its rights were read
            return
        holder = pass_.bearer.holder
        if self._of_holder[holder] >= settings.SOCKETS_PER_KEY:
            self._log("key")
            raise _of_quota(f"{settings.SOCKETS_PER_KEY} connections of this key or person are open already")
        self._of_holder[holder] += 1
        slot.holder = holder

    def leave(self, slot: Slot) -> None:
        """The client is gone. Does nothing the second time."""
        if not slot.is_taken:
            return
        slot.is_taken = False
        self._open -= 1
        _count_down(self._of_address, slot.address)
        _count_down(self._of_holder, slot.holder)

    def _log(self, quota: str) -> None:
        metrics.refused.labels(quota).inc()
        log.info("socket_over_quota", quota=quota, open=self._open)


def _of_quota(reason: str) -> Refused:
    return Refused(reason, code=CloseCode.QUOTA, http_status=429)


def _count_down(counts: Counter[T], key: T | None) -> None:
    if key is not None and key in counts:
        counts[key] -= 1
        if not counts[key]:
            del counts[key]


def _counted(address: str) -> str:
    """What an address is counted as: itself, or its network with IPv6; empty if it is not counted."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # a UNIX socket, or a name that a proxy has made up
        return address
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found
    if any(found in ipaddress.ip_network(network) for network in settings.SOCKETS_SPARED_NETWORKS):
        return ""
    if found.version == 6:
        return str(ipaddress.ip_network((found, IPV6_CUSTOMER), strict=False))
    return str(found)


quotas = Quotas()
