"""Everything that listens under ``/api/webhooks/`` in a web process, and the parts that it shares."""

from typing import Any

from django.conf import settings

from webhooks.callbacks import receiver as callbacks
from webhooks.callbacks.receiver import CallbackReceiver
from webhooks.callbacks.storing import CallbackReceived, store_callbacks
from webhooks.committer import Committer
from webhooks.doors import Doors
from webhooks.limits import Limits
from webhooks.rejections import Rejected, store_rejected
from webhooks.requests.large_bodies import LargeBodies
from webhooks.vendor_events import receiver
from webhooks.vendor_events.envelope import Accepted
from webhooks.vendor_events.receiver import Receiver
from webhooks.vendor_events.storing import Store, Stored
from wedsync.web.request_bodies import BodyReader
from wedsync.web.transfers import Pace, Room

PACE = Pace(settings.BODY_IDLE_SECONDS, settings.BODY_SLOWEST_BYTES)


class FrontDoor:
    """The receivers of vendors' webhooks and of providers' callbacks, with their limits and writers."""

    def __init__(self) -> None:
        self._limits = Limits(
            per_address=settings.LIMIT_PER_ADDRESS,
            per_connection=settings.LIMIT_PER_CONNECTION,
            redis_url=settings.REDIS_URL,
        )
        self._events: Committer[Accepted, Stored] = Committer(Store().batch)
        self._rejections: Committer[Rejected, None] = Committer(store_rejected, writers=1)
        self._notices: Committer[CallbackReceived, int | None] = Committer(store_callbacks, writers=1)
        doors, bodies, large = Doors(), BodyReader(Room(settings.BODIES_AT_ONCE_BYTES), PACE), LargeBodies()
        self._at = {
            receiver.PREFIX: Receiver(doors, self._limits, bodies, large, self._events, self._rejections),
            callbacks.PREFIX: CallbackReceiver(doors, bodies, large, self._notices, self._rejections),
        }

    def at(self, path: str) -> Any:
        """The receiver for a path; ``None``: the path belongs to neither."""
        for prefix, answers in self._at.items():
            if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in {"", "/"}:
                return answers
        return None

    def start(self) -> None:
        """Start storing and counting on the running event loop."""
        self._limits.start()
        self._events.start()
        self._notices.start()
        self._rejections.start()

    async def stop(self) -> None:
        """Store all accepted requests, then end."""
        await self._events.stop()
        await self._notices.stop()
        await self._rejections.stop()
        await self._limits.stop()
