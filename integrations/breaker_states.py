"""How the breakers of systems stand, read and not asked: looking takes no probe. The only place that knows the keys."""

from collections.abc import Sequence
from uuid import UUID

import redis
import structlog

from integrations import breaker
from integrations.models.health import Breaker

log = structlog.get_logger(__name__)


def breaker_states(system_ids: Sequence[UUID]) -> dict[UUID, Breaker]:
    """Each system's breaker, in one round trip; ``unknown`` for all where Redis does not answer in time."""
    if not system_ids:
        return {}
    pipeline = breaker._redis().pipeline(transaction=False)  # noqa: SLF001
    pipeline.time()
    for system_id in system_ids:
        pipeline.hget(breaker.KEY.format(system_id), "open_until")
    try:
        (seconds, microseconds), *until = pipeline.execute()
    except redis.RedisError as error:
        log.warning("breaker_unavailable", error=type(error).__name__)
        return dict.fromkeys(system_ids, Breaker.UNKNOWN)
    now = seconds + microseconds / 1_000_000
    return {system_id: _state(float(each or 0), now) for system_id, each in zip(system_ids, until, strict=True)}


def _state(open_until: float, now: float) -> Breaker:
    if not open_until:
        return Breaker.CLOSED
    return Breaker.OPEN if now < open_until else Breaker.HALF_OPEN
