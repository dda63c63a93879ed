"""The priority of a delivery: pure, and independent of the order of the routes.

1. The highest of the event's own and those of the routes that request the delivery.
2. One step up for each of their raising conditions that holds, one down for each lowering one; the sum counts, bounded
   by low and high.
3. One step up on the wedding day, up to high.

No route makes a delivery urgent, and an urgent event's deliveries stay urgent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from integrations.registry.targets import Matched
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.day import is_wedding_day

_LADDER = [Priority.LOW, Priority.NORMAL, Priority.HIGH]


@dataclass(frozen=True)
class WorkedOut:
    """A priority, and the reasons for it, for people to read."""

    priority: Priority
    because: tuple[str, ...]


def work_out(event: ChannelEvent, now: datetime, matches: Iterable[Matched]) -> WorkedOut:
    """The priority of a delivery that these routes request at ``now``."""
    priority = Priority(event.priority)
    because = [f"the event is {priority}"]
    if priority == Priority.URGENT:
        return WorkedOut(priority, (*because, "which neither a route nor the day changes"))
    matches = list(matches)
    requested = max((each.priority for each in matches if each.priority), key=lambda each: each.rank, default=priority)
    if requested.rank > priority.rank:
        priority = requested
        because.append(f"a route requests {requested}")
    moved = _step(priority, sum(each.steps for each in matches))
    if moved != priority:
        because.append(f"conditions {'raise' if moved.rank > priority.rank else 'lower'} it to {moved}")
    if event.wedding is not None and moved != Priority.HIGH and is_wedding_day(event.wedding, now):
        moved = _step(moved, 1)
        because.append(f"the wedding day raises it to {moved}")
    return WorkedOut(moved, tuple(because))


def _step(priority: Priority, steps: int) -> Priority:
    return _LADDER[max(0, min(priority.rank + steps, len(_LADDER) - 1))]
