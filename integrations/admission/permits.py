"""What admission answers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integrations.models.breaker import BreakerState


class CallResult(StrEnum):
    """What a call says about the health of its target."""

    ALIVE = "alive"
    FAILED = "failed"
    NEUTRAL = "neutral"


class Refusal(StrEnum):
    """Why leave is not given.

    ``probing``: the breaker is half-open, and others try the target. ``paused``: the target has asked for patience.
    """

    BREAKER_OPEN = "breaker_open"
    PROBING = "probing"
    AT_CAPACITY = "at_capacity"
    RATE_LIMITED = "rate_limited"
    PAUSED = "paused"


class BreakerEffect(StrEnum):
    """What a result did to the breaker. ``LATE``: it counted for nothing, since its time had passed."""

    UNCHANGED = "unchanged"
    OPENED = "opened"
    REOPENED = "reopened"
    CLOSED = "closed"
    LATE = "late"


@dataclass(frozen=True)
class Permit:
    """Leave to call, or why not.

    ``wait``: seconds until asking again makes sense; 0 where a call in flight has to end first. ``token``: the slot,
    which :func:`tell` and :func:`give_back` return. ``generation``: of the breaker; ``None``: Redis was away, this
    process decided. ``probe``: the call tries whether an open breaker may close.
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
    """How a lane stands.

    ``open_until``: on Redis' clock; after it the breaker is half-open. ``failures``: in a row. ``window_calls`` and
    ``window_failures``: of the present window. ``opens``: how often in a row it has opened. ``in_flight``: calls, the
    urgent ones too. ``paused_until``: until then the target has asked to be left alone, if it has. ``known``: false
    where Redis did not say.
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
