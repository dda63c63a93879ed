"""Questions to other systems: a GET sent like a delivery's call, with the same token, guard and deadline.

A question is not a delivery: it changes nothing on the other side, so it leaves a log line and no attempt. But it is a
call, so it asks :mod:`integrations.admission` for a permit, and its result counts for the system's breaker.
"""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid5

import structlog
from django.db import connection

from integrations import admission
from integrations.admission import CallResult, Lane, Permit, Refusal, breakers
from integrations.admission.call_results import pause_of, result_of
from integrations.errors import DeliveryError, OurFault, Permanent, Throttled
from integrations.models import System
from integrations.outbound import Call, Response, check_status, send
from integrations.outbound.exchange import MOST_BYTES
from wedsync.env import ConfigurationError

log = structlog.get_logger(__name__)
_WHY_NOT = {
    Refusal.BREAKER_OPEN: "calls to it kept failing, so nothing is sent to it",
    Refusal.PROBING: "calls to it failed, and another call is testing it right now",
    Refusal.AT_CAPACITY: "it has as many calls in flight as it accepts",
    Refusal.RATE_LIMITED: "its rate of calls is used up",
    Refusal.PAUSED: "it has asked us to pause",
}


def ask(
    system: System, path: str, query: Mapping[str, str | int], *, deadline: float, within_delivery: bool = False
) -> dict[str, Any]:
    """The system's answer, a JSON object. No database connection is held during the call.

    Arguments:
        deadline: seconds for all of it, including the wait for a token of the system's rate.
        within_delivery: a delivery with a permit asks. If a slot or token is then missing, the delivery's own one
            covers the question.

    Raises:
        DeliveryError: no answer, a refusal, or an answer that is not a JSON object within 64 KiB. ``Throttled`` also
            if the system must not be called now.
    """
    call = question(system, path, query)
    if not connection.in_atomic_block:
        connection.close()
    ends, lane = time.monotonic() + deadline, admission.lane_of(system)
    permit = _leave(lane, ends, within_delivery=within_delivery)
    started, outcome, failure = time.monotonic(), "answered", None
    response: Response | None = None
    try:
        response = send(call, deadline=max(ends - started, 0.001))
        check_status(response)
        return answer_in(response)
    except DeliveryError as error:
        outcome, failure = str(error), error
        raise
    except BaseException:
        failure = OurFault("the question was not asked")
        raise
    finally:
        milliseconds = int((time.monotonic() - started) * 1000)
        log.info("system_asked", system=str(system.id), path=path, outcome=outcome, milliseconds=milliseconds)
        if permit:
            result = result_of(failure, answered=response is not None)
            _report(system, lane, permit, path, CallResult.NEUTRAL if within_delivery else result, pause_of(failure))


def _leave(lane: Lane, ends: float, *, within_delivery: bool) -> Permit | None:
    """A permit to call; waits if only the rate forbids it. ``None``: the delivery's own permit covers the call.

    Raises:
        Throttled: no permit in time.
    """
    while True:
        # Asked as urgent, since its delivery itself holds an ordinary slot, the probe or the last ordinary token.
        permit = admission.ask(lane, urgent=within_delivery)
        if permit.granted:
            return permit
        why = permit.why or Refusal.AT_CAPACITY
        if why == Refusal.RATE_LIMITED and permit.wait < ends - time.monotonic():
            time.sleep(permit.wait)
            continue
        if within_delivery and why not in {Refusal.BREAKER_OPEN, Refusal.PAUSED}:
            return None
        wait = max(permit.wait, 1.0)
        raise Throttled(f"not asked: {_WHY_NOT[why]}; try again in {wait:.0f} s", retry_after=wait, whole_target=False)


def _report(system: System, lane: Lane, permit: Permit, path: str, result: CallResult | None, pause: float) -> None:
    """Tell admission the result; the same question, however often repeated, counts like one delivery."""
    if result is None:
        admission.give_back(lane, permit)
        return
    same = uuid5(NAMESPACE_URL, f"{system.id}:{path}")
    change = admission.report(lane, permit, result, delivery_id=same, alone=False, pause=pause)
    breakers.follow(system, change)


def question(system: System, path: str, query: Mapping[str, str | int]) -> Call:
    """A question ready to be sent.

    Raises:
        OurFault: the token cannot be decrypted.
    """
    try:
        token = system.credentials.get("access_token")
    except ConfigurationError as error:
        raise OurFault(str(error)) from error
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return Call("GET", f"{system.base_url.rstrip('/')}{path}?{urlencode(query)}", b"", headers)


def answer_in(response: Response) -> dict[str, Any]:
    """The JSON object in an answer.

    Raises:
        Permanent: it contains none within 64 KiB.
    """
    if len(response.body) >= MOST_BYTES:
        raise Permanent("the answer is longer than 64 KiB")
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise Permanent("the answer is not JSON") from error
    if not isinstance(answer, dict):
        raise Permanent("the answer is not a JSON object")
    return answer
