"""Admission to a target: its circuit breaker, its calls in flight, its rate (docs/adr/0005, docs/adr/0030).

::

    permit = ask(lane_of(system), urgent=False)
    if permit.granted:   call, then report(lane, permit, result, ...)  or, with nothing to send, give_back(lane, permit)
    else:                permit.why, and permit.wait: seconds until it makes sense to ask again
"""

from integrations.admission.call_results import pause_of
from integrations.admission.gate import ask, begin_pause, give_back, look, report, report_and_ask, reserve, reset, trip
from integrations.admission.lanes import Lane, lane_of
from integrations.admission.permits import BreakerEffect, CallResult, LaneView, Permit, Refusal
from integrations.models.breaker_changes import BreakerState

__all__ = [
    "BreakerEffect",
    "BreakerState",
    "CallResult",
    "Lane",
    "LaneView",
    "Permit",
    "Refusal",
    "ask",
    "begin_pause",
    "give_back",
    "lane_of",
    "look",
    "pause_of",
    "report",
    "report_and_ask",
    "reserve",
    "reset",
    "trip",
]
