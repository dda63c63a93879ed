"""The open doors: a connection with its vendor and live secrets, remembered for two seconds in the web process."""

import time
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from integrations.models import Connection
from integrations.vendors import VENDORS
from integrations.vendors.base import Vendor
from wedsync import vault

REMEMBERED = 2.0
MOST_REMEMBERED = 10_000


@dataclass(frozen=True)
class Door:
    """What the receiver needs to know of a connection."""

    connection_id: str
    organization_id: UUID
    system_id: UUID
    vendor: Vendor
    secrets: tuple[str, ...]
    paused: bool


class Doors:
    """A small cache, so that a stream of webhooks does not ask the database for each."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Door | None]] = {}

    def remembered(self, connection_id: str) -> tuple[bool, Door | None]:
        """Whether the answer is known, and the answer; no database is asked."""
        found = self._known.get(connection_id)
        if found is None or found[0] < time.monotonic():
            return False, None
        return True, found[1]

    def last_known(self, connection_id: str) -> Door | None:
        """The last answer about a connection, however old."""
        found = self._known.get(connection_id)
        return found[1] if found else None

    def look_up(self, connection_id: str) -> Door | None:
        """The door, or ``None`` when there is none or it is disabled. Asks the database."""
        door = _load(connection_id)
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        self._known[connection_id] = (time.monotonic() + REMEMBERED, door)
        return door


def _load(connection_id: str) -> Door | None:
    found = (
        Connection.objects.select_related("system")
        .prefetch_related("secrets")
        .exclude(state=Connection.Status.DISABLED)
        .filter(id=connection_id)
        .first()
    )
    vendor = VENDORS.get(found.system.kind) if found else None
    if found is None or vendor is None:
        return None
    now = timezone.now()
    secrets = tuple(vault.decrypt(secret.sealed) for secret in found.secrets.all() if _is_live(secret.expires_at, now))
    return Door(
        found.id,
        found.organization_id,
        found.system_id,
        vendor,
        secrets,
        paused=found.state == Connection.Status.PAUSED,
    )


def _is_live(expires_at: datetime | None, now: datetime) -> bool:
    return expires_at is None or expires_at > now
