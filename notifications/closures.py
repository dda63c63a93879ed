"""A provider that asks for patience with all calls is left alone until then, whatever comes due meanwhile.

Redis keeps it, on its own clock. Urgent deliveries may pass a short pause, and none that is longer than they live: an
exhausted quota is no less exhausted for them, and they have other channels.
"""

from uuid import UUID

import redis
import structlog
from django.conf import settings

from integrations.models import Delivery
from notifications.pairs import client
from wedsync.queues import Priority

log = structlog.get_logger(__name__)
LEAST, ALSO_URGENT = 2.0, 600.0  # seconds
LONGEST = 24 * 3600.0


def close(system_id: UUID, seconds: float) -> None:
    """Leave a system alone for so long."""
    if seconds < LEAST:
        return
    milliseconds = int(min(seconds, LONGEST) * 1000)
    word = "all" if seconds >= ALSO_URGENT else "patient"
    try:
        client(settings.BREAKER_URL).set(_key(system_id), word, px=milliseconds)
    except redis.RedisError as error:
        log.warning("closure_not_kept", error=type(error).__name__)


def wait(delivery: Delivery) -> float | None:
    """Seconds for which a delivery has to wait; ``None``: it may go."""
    try:
        pipe = client(settings.BREAKER_URL).pipeline(transaction=False)
        pipe.get(_key(delivery.system_id))
        pipe.pttl(_key(delivery.system_id))
        word, left = pipe.execute()
    except redis.RedisError as error:
        log.warning("closure_unknown", error=type(error).__name__)
        return None
    if word is None or int(left) <= 0 or (word != b"all" and delivery.priority == Priority.URGENT):
        return None
    return int(left) / 1000


def _key(system_id: UUID) -> str:
    return f"wedsync:closed:{system_id}"
