"""All that listens under ``/api/webhooks/`` in a web process, and what it shares."""

from typing import Any

from django.conf import settings

from webhooks import receiver
from webhooks.committer import Committer
from webhooks.doors import Doors
from webhooks.inspection import Accepted
from webhooks.limits import Limits
from webhooks.receiver import Receiver
from webhooks.rejections import Rejected, store_rejected
from webhooks.storing import Stored, store_batch


class DoorIn:
    """The receiver of vendors' webhooks, with its limits and writers."""

    def __init__(self) -> None:
        self._limits = Limits(
            per_address=settings.LIMIT_PER_ADDRESS,
            per_connection=settings.LIMIT_PER_CONNECTION,
            redis_url=settings.REDIS_URL,
        )
        self._events: Committer[Accepted, Stored] = Committer(store_batch)
        self._rejections: Committer[Rejected, None] = Committer(store_rejected, writers=1)
        self._receiver = Receiver(Doors(), self._limits, self._events, self._rejections)

    def at(self, path: str) -> Any:
        """What answers at a path; ``None``: nothing of the door in."""
        return self._receiver if path == receiver.PREFIX or path.startswith(f"{receiver.PREFIX}/") else None

    def start(self) -> None:
        """Begin to store and to count, on the running event loop."""
        self._limits.start()
        self._events.start()
        self._rejections.start()

    async def stop(self) -> None:
        """Store what was accepted, then end."""
        await self._events.stop()
        await self._rejections.stop()
        await self._limits.stop()
