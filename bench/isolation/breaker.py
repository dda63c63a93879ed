"""Counts calls to a dead target from rows: before its breaker opened, and while it was open."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.ground import Ground
from bench.isolation.stage import OPEN_SECONDS


@dataclass(frozen=True)
class Calls:
    """Calls to one dead target.

    ``before_open``: calls permitted before the breaker opened; all calls if it never did. ``while_open``: calls in each
    span from one opening to the next; the last span is not over. A permitted call begins a moment later, and an open
    breaker permits none in its first seconds, so calls that begin shortly after the first opening count as before it.
    """

    opened: bool
    before_open: int
    while_open: list[int]

    @classmethod
    def to(cls, ground: Ground, system_id: str) -> "Calls":
        """From attempts, calls in flight, and the breaker's history."""
        begun = _moments(
            ground,
            "SELECT attempt.started_at FROM integrations_attempt AS attempt"
            " JOIN integrations_delivery AS delivery ON delivery.id = attempt.delivery_id"
            f" WHERE delivery.system_id = '{system_id}'",
        )
        flying = f"SELECT now() FROM integrations_delivery WHERE system_id = '{system_id}' AND state = 'in_flight'"
        opened = _moments(
            ground,
            f"SELECT at FROM integrations_breakerchange WHERE system_id = '{system_id}' AND to_state = 'open'"
            " ORDER BY at",
        )
        return cls.of([*begun, *_moments(ground, flying)], opened)

    @classmethod
    def of(cls, begun: list[datetime], opened: list[datetime]) -> "Calls":
        """From the times at which calls began and the breaker opened, oldest first."""
        if not opened:
            return cls(opened=False, before_open=len(begun), while_open=[])
        granted = opened[0] + timedelta(seconds=OPEN_SECONDS / 2)
        ends = [granted, *opened[1:], datetime.max.replace(tzinfo=UTC)]
        spans = [sum(since <= call < until for call in begun) for since, until in itertools.pairwise(ends)]
        return cls(opened=True, before_open=sum(call < granted for call in begun), while_open=spans)


def _moments(ground: Ground, query: str) -> list[datetime]:
    return [row[0] for row in ground.execute(query)]
