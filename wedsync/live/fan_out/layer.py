"""The channel layer, which survives outages of Redis."""

import asyncio
import random
from typing import Any

import structlog
from channels_redis.core import RedisChannelLayer  # type: ignore[import-untyped]
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
PAUSE_SECONDS = 1.0


class PatientRedisLayer(RedisChannelLayer):  # type: ignore[misc]
    """Waits in ``receive()`` while Redis is away, instead of raising; once Redis is back, hints arrive again.

    Until then the broadcaster finds new entries by polling PostgreSQL.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Shorter than redis-py's own time-out of 5 s, which would interrupt each wait; and a task whose cancellation
        # was swallowed ends within this time.
        self.brpop_timeout = 1

    async def receive(self, channel: str) -> Any:
        """Wait for a message, however long Redis is away."""
        while True:
            try:
                return await super().receive(channel)
            except (RedisError, OSError) as error:
                _end_if_cancelled()
                log.info("hints_unavailable", error=type(error).__name__)
                await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.8, 1.2))

    async def _brpop_with_clean(self, index: int, channel: str, timeout: float) -> Any:  # noqa: ASYNC109  (its parent's)
        """One wait of at most ``timeout`` seconds; what it returns stays in a backup until it is handled."""
        message = await super()._brpop_with_clean(index, channel, timeout)
        _end_if_cancelled()
        return message


def _end_if_cancelled() -> None:
    """End a cancelled task: redis-py can swallow a cancellation that comes while it connects."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
