"""The states of a delivery and which may follow which. spec.md, "Outbound: States"."""

from django.db import models


class State(models.TextChoices):
    """``succeeded``: the other side took it. ``held``: waits for something other than its own retry time."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    SUCCEEDED = "succeeded"
    SCHEDULED = "scheduled"
    HELD = "held"
    DEAD = "dead"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class Outcome(models.TextChoices):
    """What came of an attempt. ``unknown``: the request left, and no answer was seen."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


WAITING = frozenset({State.PENDING, State.SCHEDULED, State.HELD})
FINISHED = frozenset({State.SUCCEEDED, State.DEAD, State.CANCELLED, State.SKIPPED})

TRANSITIONS: dict[State, frozenset[State]] = {
    State.PENDING: frozenset({State.IN_FLIGHT, State.HELD, State.DEAD, State.CANCELLED, State.SKIPPED}),
    State.SCHEDULED: frozenset({State.IN_FLIGHT, State.HELD, State.DEAD, State.CANCELLED, State.SKIPPED}),
    State.HELD: frozenset({State.IN_FLIGHT, State.HELD, State.DEAD, State.CANCELLED, State.SKIPPED}),
    State.IN_FLIGHT: frozenset({State.SUCCEEDED, State.SCHEDULED, State.HELD, State.DEAD, State.SKIPPED}),
    **{state: frozenset() for state in FINISHED},
}


def sources_of(state: State) -> list[State]:
    """The states from which this one may be reached; the condition of every write that sets it."""
    return [source for source, following in TRANSITIONS.items() if state in following]
