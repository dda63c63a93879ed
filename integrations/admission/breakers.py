"""The consequences of a breaker's change: its history, and the deliveries it held. Also staff's changes."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models.functions import Now

from integrations import admission
from integrations.admission import BreakerEffect, BreakerState, lane_of
from integrations.deliveries import holds
from integrations.models import BreakerChange, Delivery, System
from integrations.states import Reason, State
from wedsync.database.batches import update_all
from wedsync.database.pruning import delete_in_steps

LIFE = timedelta(days=30)
_STEPS = {
    BreakerEffect.OPENED: (BreakerState.CLOSED, BreakerState.OPEN, "Too many calls failed."),
    BreakerEffect.REOPENED: (BreakerState.HALF_OPEN, BreakerState.OPEN, "A probe failed."),
    BreakerEffect.CLOSED: (BreakerState.HALF_OPEN, BreakerState.CLOSED, "Probes were answered."),
}


class RedisAway(Exception):
    """The breaker could not be changed, since Redis does not answer."""


def follow(system: System, change: BreakerEffect) -> None:
    """Act on a call's effect on its system's breaker, if there is one."""
    if change == BreakerEffect.CLOSED:
        release_held(system)
    if change in _STEPS:
        record_change(system, change)


def record_change(system: System, change: BreakerEffect, by: User | None = None) -> None:
    """Record a result's effect on its system's breaker, if there is one."""
    if change in _STEPS:
        _record(system, *_STEPS[change], by)


def release_held(system: System) -> int:
    """Make due what a closed breaker had held, in bounded batches; returns how many."""
    held = Delivery.objects.filter(system__in=sharing(system), state=State.HELD, state_reason=Reason.BREAKER_OPEN)
    return update_all(held.filter(next_attempt_at__gt=Now()), next_attempt_at=Now())


def sharing(system: System) -> list[System]:
    """The systems that share a breaker: the system, and for a signed webhook its organization's others at its host."""
    if system.kind != System.Kind.WEBHOOK:
        return [system]
    key = lane_of(system).breaker_key
    others = System.objects.filter(organization_id=system.organization_id, kind=System.Kind.WEBHOOK)
    return [other for other in others if lane_of(other).breaker_key == key]


def trip(system: System, *, seconds: float, by: User | None = None) -> None:
    """Open a system's breaker by hand for ``seconds``; then it probes.

    Raises:
        RedisAway: nothing was changed.
    """
    before = _state(system)
    if not admission.trip(lane_of(system), seconds=seconds):
        raise RedisAway
    _record(system, before, BreakerState.OPEN, f"Tripped by staff for {seconds / 60:g} min.", by)


def reset(system: System, *, by: User | None = None) -> int:
    """Close a system's breaker by hand, and end any pause it asked for; returns how many deliveries are due now.

    Raises:
        RedisAway: nothing was changed.
    """
    before = _state(system)
    if not admission.reset(lane_of(system)):
        raise RedisAway
    _record(system, before, BreakerState.CLOSED, "Reset by staff.", by)
    return release_held(system) + holds.let_throttled_go(system.id)


def forget_old() -> int:
    """Delete old changes; returns how many."""
    return delete_in_steps(BreakerChange.objects.filter(at__lt=Now() - LIFE), along="at")


def _state(system: System) -> BreakerState:
    return admission.look([lane_of(system)])[str(system.id)].state


def _record(system: System, before: BreakerState, after: BreakerState, reason: str, by: User | None) -> None:
    BreakerChange.objects.create(
        organization_id=system.organization_id,
        system=system,
        breaker_key=lane_of(system).breaker_key,
        from_state=before,
        to_state=after,
        reason=reason,
        by=by,
    )
