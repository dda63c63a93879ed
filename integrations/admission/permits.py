"""The answers of admission."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integrations.models.breaker_changes import BreakerState


class CallResult(StrEnum):
    """What a call says about the health of its target."""

    ALIVE = "alive"
    FAILED = "failed"
    NEUTRAL = "neutral"


class Refusal(StrEnum):
    """Why a permit is refused.

    ``probing``: the breaker is half-open, and others test the target. ``paused``: the target has asked us to pause.
    """

    BREAKER_OPEN = "breaker_open"
    PROBING = "probing"
    AT_CAPACITY = "at_capacity"
    RATE_LIMITED = "rate_limited"
    PAUSED = "paused"


class BreakerEffect(StrEnum):
    """A result's effect on the breaker. ``LATE``: none, since it came too late."""

    UNCHANGED = "unchanged"
    OPENED = "opened"
    REOPENED = "reopened"
    CLOSED = "closed"
    LATE = "late"


@dataclass(frozen=True)
class Permit:
    """A permit to call, or a refusal.

    ``wait``: seconds until it makes sense to ask again; 0 if a call in flight has to end first. ``token``: the slot,
    which :func:`report` and :func:`give_back` return. ``generation``: of the breaker; ``None``: Redis was away and this
    process decided. ``probe``: the call tests whether an open breaker may close.
    """

    granted: bool
    why: Refusal | None
    wait: float
    token: str
    generation: str | None
    probe: bool = False
    urgent: bool = False


@dataclass(frozen=True)
class LaneView:
    """The state of a lane.

    ``open_until``: by Redis's clock; afterwards the breaker is half-open. ``failures``: in a row. ``window_calls`` and
    ``window_failures``: in the present window. ``opens``: how often in a row it has opened. ``in_flight``: calls,
    including urgent ones. ``paused_until``: the end of a pause that the target has asked for, if any. ``known``: false
    if Redis did not answer.
    """

    state: BreakerState = BreakerState.CLOSED
    open_until: datetime | None = None
    failures: int = 0
    window_calls: int = 0
    window_failures: int = 0
    opens: int = 0
    in_flight: int = 0
    urgent_in_flight: int = 0
    paused_until: datetime | None = None
    known: bool = True
