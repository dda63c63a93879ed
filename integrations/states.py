"""The states of a delivery, why it is in them, and which may follow which.

See docs/staff/deliveries.md.
"""

from django.db import models


class State(models.TextChoices):
    """``succeeded``: the other side accepted it. ``held``: waits for something other than its own retry time."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    SUCCEEDED = "succeeded"
    SCHEDULED = "scheduled"
    HELD = "held"
    DEAD = "dead"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class Reason(models.TextChoices):
    """Why a delivery, or a system, is in its state."""

    NONE = ""
    # held
    BREAKER_OPEN = "breaker_open"
    SYSTEM_PAUSED = "system_paused"
    QUIET_HOURS = "quiet_hours"
    RATE_LIMITED = "rate_limited"
    WAITS_ITS_TURN = "waits_its_turn"
    AWAITS_STATUS = "awaits_status"
    GATHERED = "gathered"
    PAIR_LIMITED = "pair_limited"
    # scheduled
    NETWORK_ERROR = "network_error"
    TIMED_OUT = "timed_out"
    SERVER_ERROR = "server_error"
    THROTTLED = "throttled"
    WORKER_LOST = "worker_lost"
    OUR_FAULT = "our_fault"
    # dead
    REFUSED = "refused"
    EXPIRED = "expired"
    SYSTEM_DISABLED = "system_disabled"
    TARGET_GONE = "target_gone"
    WINDOW_CLOSED = "window_closed"
    # cancelled
    SUPERSEDED = "superseded"
    IN_DIGEST = "in_digest"
    TAKEN_BACK = "taken_back"
    ACKNOWLEDGED = "acknowledged"
    # skipped: there is nobody to tell, or they do not want it; or the address must not be used
    NO_RECIPIENT = "no_recipient"
    NO_ADDRESS = "no_address"
    NOT_WANTED = "not_wanted"
    NO_CONSENT = "no_consent"
    OPTED_OUT = "opted_out"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    NO_TEMPLATE = "no_template", "No template of your own for this type"
    # skipped: the system was told, or told us, just before; two systems contradict each other
    ALREADY_KNOWN = "already_known", "The system already knows it"
    LOOP_STOPPED = "loop_stopped", "Two systems keep contradicting each other"
    # of a system; BY_STAFF also of a cancelled delivery
    CREDENTIALS_REFUSED = "credentials_refused"
    BY_STAFF = "by_staff"


class Outcome(models.TextChoices):
    """The result of an attempt. ``unknown``: the request left, and no answer was seen."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


WAITING = frozenset({State.PENDING, State.SCHEDULED, State.HELD})
FINISHED = frozenset({State.SUCCEEDED, State.DEAD, State.CANCELLED, State.SKIPPED})

TRANSITIONS: dict[State, frozenset[State]] = {
    **dict.fromkeys(
        (State.PENDING, State.SCHEDULED, State.HELD),
        frozenset({State.IN_FLIGHT, State.HELD, State.DEAD, State.CANCELLED, State.SKIPPED}),
    ),
    State.IN_FLIGHT: frozenset({*State} - {State.PENDING, State.IN_FLIGHT}),
    **{state: frozenset() for state in FINISHED},
}


def sources_of(state: State) -> list[State]:
    """The states that may change to this one: the condition of each write in ``deliveries/state_changes.py``."""
    return [source for source, following in TRANSITIONS.items() if state in following]
