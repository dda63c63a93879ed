"""The channel layer, made to outlive its Redis."""

import asyncio
import random
from typing import Any

import structlog
from channels_redis.core import RedisChannelLayer  # type: ignore[import-untyped]
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
PAUSE_SECONDS = 1.0


class PatientRedisLayer(RedisChannelLayer):  # type: ignore[misc]
    """Channels ends a socket whose ``receive()`` raises, so all of them when Redis ends.

    But Redis only hints: a socket that hears no hints is still told by the follower. So it waits here, and hears them
    again once Redis is back.
    """

    async def receive(self, channel: str) -> Any:
        """Wait for a message, however long Redis is away."""
        while True:
            try:
                return await super().receive(channel)
            except (RedisError, OSError) as error:
                task = asyncio.current_task()
                if task and task.cancelling():  # the socket has ended; redis-py may have swallowed the cancellation
                    raise asyncio.CancelledError from error
                log.info("hints_unavailable", error=type(error).__name__)
                await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.8, 1.2))
