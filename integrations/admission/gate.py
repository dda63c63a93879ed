"""Permits for calls to a target, and their results. Redis decides; while it is away, this process (docs/adr/0030)."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings

from integrations.admission.lanes import Lane
from integrations.admission.local import LocalAdmission
from integrations.admission.permits import BreakerEffect, CallResult, LaneView, Permit, Refusal
from integrations.admission.scripts import MICROSECONDS, SPANS, Orphan, Scripts, keys_of, presence
from integrations.models.breaker_changes import BreakerState

log = structlog.get_logger(__name__)
local = LocalAdmission()
presence.on_return = local.forget
_WINDOW = [f"w{place}" for place in range(SPANS)]
_FIELDS = ["open_until", "failures", "opens", *_WINDOW]
LONGEST_PAUSE = 86_400.0  # seconds; a request for more is a mistake of the other side
_NOTABLE = frozenset({BreakerEffect.OPENED, BreakerEffect.REOPENED, BreakerEffect.CLOSED})


def ask(lane: Lane, *, urgent: bool) -> Permit:
    """Ask for a permit to call. A granted one must be returned by :func:`report`, :func:`report_and_ask` or
    :func:`give_back`; a slot that is not returned is free again after the lease of such a delivery.

    A refusal uses nothing up. It says why, and how long to wait.
    """
    token = _new_token()
    if pause := local.pause_left(lane):
        return Permit(granted=False, why=Refusal.PAUSED, wait=pause, token=token, generation=None, urgent=urgent)
    doubtful = Orphan(lane, token, urgent)
    answer = presence.within(
        lambda scripts: scripts.run("ask", lane, int(urgent), token, urgent=urgent), doubtful=doubtful
    )
    if answer is None:
        return local.ask(lane, token, urgent=urgent)
    return _permit(answer, token, urgent=urgent)


def report(
    lane: Lane, permit: Permit, result: CallResult, *, delivery_id: UUID, alone: bool, pause: float = 0.0
) -> BreakerEffect:
    """Give the slot back, and report the result of the call.

    ``pause``: seconds for which the target has asked us to pause. No permit is given before they end, nor before the
    end of a longer pause that was reported earlier.

    ``alone``: nothing else is due for the target. Otherwise failures must span two deliveries, so that one bad event
    cannot cut off a healthy system; and if nothing else is due, one successful probe closes the breaker.
    """
    if permit.generation is None:
        begin_pause(lane, pause)
        return _noted(lane, local.report(lane, permit.token, result, delivery_id=str(delivery_id), alone=alone))
    arguments = _arguments(permit, result, delivery_id, alone=alone, pause=pause)
    answer = presence.within(lambda scripts: scripts.run("report", lane, *arguments))
    if answer is None:
        local.begin_pause(lane, pause)
        return _report_here(lane, permit, result, delivery_id, alone=alone)
    return _noted(lane, BreakerEffect(answer.decode()))


def report_and_ask(
    lane: Lane,
    permit: Permit,
    result: CallResult,
    *,
    delivery_id: UUID,
    alone: bool,
    urgent: bool,
    pause: float = 0.0,
) -> tuple[BreakerEffect, Permit]:
    """:func:`report` and then :func:`ask` in one round trip, for a worker that continues with the same target."""
    if permit.generation is None or local.pause_left(lane):
        change = report(lane, permit, result, delivery_id=delivery_id, alone=alone, pause=pause)
        return change, ask(lane, urgent=urgent)
    token = _new_token()
    arguments = (*_arguments(permit, result, delivery_id, alone=alone, pause=pause), int(urgent), token)
    doubtful = Orphan(lane, token, urgent)
    answer = presence.within(
        lambda scripts: scripts.run("report_and_ask", lane, *arguments, urgent=urgent), doubtful=doubtful
    )
    if answer is None:
        local.begin_pause(lane, pause)
        change = _report_here(lane, permit, result, delivery_id, alone=alone)
        return change, local.ask(lane, token, urgent=urgent)
    return _noted(lane, BreakerEffect(answer[0].decode())), _permit(answer[1:], token, urgent=urgent)


def give_back(lane: Lane, permit: Permit) -> None:
    """Give back an unused permit: its slot, its probe and its token are free again."""
    if permit.generation is None:
        local.give_back(lane, permit.token)
        return
    slot = (permit.token, int(permit.urgent), int(permit.probe))
    if presence.within(lambda scripts: scripts.run("give_back", lane, *slot, 1)) is None:
        presence.orphan(Orphan(lane, permit.token, permit.urgent))


def reserve(lane: Lane, *, urgent: bool) -> float:
    """Take a token without a permit: for a rate besides the target's own, such as the one to a phone.

    Returns the seconds until there is one; 0 if one was used. While Redis is away, only pauses that this process
    knows count.
    """
    if pause := local.pause_left(lane):
        return pause
    wait: int | None = presence.within(lambda scripts: scripts.run("reserve", lane, int(urgent)))
    return (wait or 0) / MICROSECONDS


def begin_pause(lane: Lane, seconds: float) -> None:
    """A target has asked us to pause other than by its answer to a call: give no permit for ``seconds``."""
    wait = int(min(seconds, LONGEST_PAUSE) * MICROSECONDS)
    if wait > 0 and presence.within(lambda scripts: scripts.run("begin_pause", lane, wait)) is None:
        local.begin_pause(lane, seconds)


def trip(lane: Lane, *, seconds: float) -> bool:
    """Open the breaker by hand; afterwards it is half-open. Returns whether Redis accepted it."""
    length = int(seconds * MICROSECONDS)
    return presence.within(lambda scripts: scripts.run("trip", lane, length)) is not None


def reset(lane: Lane) -> bool:
    """Close the breaker by hand; forget its counts and any pause. Returns whether Redis accepted it."""
    local.end_pause(lane)
    return presence.within(lambda scripts: scripts.run("reset", lane)) is not None


def look(lanes: Sequence[Lane]) -> dict[str, LaneView]:
    """The states of lanes, by their system's id as text, in one round trip.

    Changes nothing, and counts nothing that has expired.
    """
    if not lanes:
        return {}
    found = presence.within(lambda scripts: _read(scripts, lanes))
    return found or {str(lane.system_id): LaneView(known=False) for lane in lanes}


def _new_token() -> str:
    return os.urandom(9).hex()


def _permit(answer: Sequence[Any], token: str, *, urgent: bool) -> Permit:
    why, wait, generation, probe = answer
    refusal = Refusal(why.decode()) if why else None
    return Permit(not why, refusal, wait / MICROSECONDS, token, generation.decode(), bool(probe), urgent)


def _arguments(
    permit: Permit, result: CallResult, delivery_id: UUID, *, alone: bool, pause: float
) -> tuple[str | int, ...]:
    generation = permit.generation or "0"
    slot = (permit.token, int(permit.urgent), int(permit.probe))
    wait = int(min(pause, LONGEST_PAUSE) * MICROSECONDS)
    return (result.value, generation, *slot, str(delivery_id), int(alone), wait)


def _report_here(lane: Lane, permit: Permit, result: CallResult, delivery_id: UUID, *, alone: bool) -> BreakerEffect:
    presence.orphan(Orphan(lane, permit.token, permit.urgent))
    return _noted(lane, local.count(lane, result, delivery_id=str(delivery_id), alone=alone))


def _noted(lane: Lane, change: BreakerEffect) -> BreakerEffect:
    if change in _NOTABLE:
        log.warning("breaker_changed", system=str(lane.system_id), breaker=lane.breaker_key, change=change.value)
    return change


def _read(scripts: Scripts, lanes: Sequence[Lane]) -> dict[str, LaneView]:
    """Plain reads instead of a script, for which a pipeline would first have to ask whether it is loaded."""
    pipeline = scripts.client.pipeline(transaction=False)
    pipeline.time()
    for lane in lanes:
        breaker, _, slots, urgent, _, pause = keys_of(lane)
        pipeline.hmget(breaker, _FIELDS)
        pipeline.zrange(slots, 0, -1, withscores=True)
        pipeline.zrange(urgent, 0, -1, withscores=True)
        pipeline.get(pause)
    (seconds, microseconds), *answers = pipeline.execute()
    now = seconds * MICROSECONDS + microseconds
    rows = (answers[place : place + 4] for place in range(0, len(answers), 4))
    return {str(lane.system_id): _view(now, *row) for lane, row in zip(lanes, rows, strict=True)}


def _view(now: int, fields: list[bytes | None], slots: list[Any], urgent: list[Any], pause: bytes | None) -> LaneView:
    open_until, failures, opens = (int(float(value or 0)) for value in fields[:3])
    calls, failed = _window(now, fields[3:])
    in_flight, urgent_in_flight = (sum(ends > now for _, ends in held) for held in (slots, urgent))
    state = BreakerState.CLOSED if not open_until else BreakerState.OPEN if now < open_until else BreakerState.HALF_OPEN
    until = datetime.fromtimestamp(open_until / MICROSECONDS, UTC) if open_until else None
    paused = datetime.fromtimestamp(int(pause) / MICROSECONDS, UTC) if pause and int(pause) > now else None
    return LaneView(
        state, until, failures, calls, failed, opens, in_flight + urgent_in_flight, urgent_in_flight, paused
    )


def _window(now: int, written: list[bytes | None]) -> tuple[int, int]:
    """Calls and failures in the window; older ones do not count."""
    present = now // int(settings.BREAKER_WINDOW_SECONDS * MICROSECONDS / SPANS)
    spans = [[int(word) for word in each.split()[:3]] for each in written if each]
    within = [span for span in spans if present - SPANS < span[0] <= present]
    return sum(span[1] for span in within), sum(span[2] for span in within)
