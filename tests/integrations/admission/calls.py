"""Calls of a target, as a worker asks for leave and tells what came of them."""

from uuid import UUID, uuid4

from integrations import admission
from integrations.admission import BreakerEffect, CallResult, Lane, Permit


def granted(lane: Lane, *, urgent: bool = False) -> Permit:
    permit = admission.ask(lane, urgent=urgent)
    assert permit.granted, permit
    return permit


def refused(lane: Lane, *, urgent: bool = False) -> Permit:
    permit = admission.ask(lane, urgent=urgent)
    assert not permit.granted
    return permit


def end(
    lane: Lane, permit: Permit, call_result: CallResult, *, delivery: UUID | None = None, alone: bool = False
) -> BreakerEffect:
    return admission.report(lane, permit, call_result, delivery_id=delivery or uuid4(), alone=alone)


def call(lane: Lane, call_result: CallResult, *, delivery: UUID | None = None, alone: bool = False) -> BreakerEffect:
    return end(lane, granted(lane), call_result, delivery=delivery, alone=alone)


def fail(lane: Lane, *, delivery: UUID | None = None, alone: bool = False) -> BreakerEffect:
    return call(lane, CallResult.FAILED, delivery=delivery, alone=alone)


def opened(lane: Lane) -> None:
    while fail(lane) != BreakerEffect.OPENED:
        pass


def view(lane: Lane) -> admission.LaneView:
    return admission.look([lane])[str(lane.system_id)]
