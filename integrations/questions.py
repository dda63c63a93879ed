"""What we ask other systems: a GET over the same way out as deliveries, with the same token, guard and deadline.

A question is no delivery: it changes nothing on the other side, so it leaves a line in the log and no attempt.
"""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import structlog
from django.db import connection

from integrations.errors import DeliveryError, OurFault, Permanent
from integrations.models import System
from integrations.outbound import MOST_BYTES, Call, Response, check_status, send
from wedsync.env import ConfigurationError

log = structlog.get_logger(__name__)


def ask(system: System, path: str, query: Mapping[str, str | int], *, deadline: float) -> dict[str, Any]:
    """What the system answers, a JSON object. ``deadline``: seconds. No database connection is held meanwhile.

    Raises:
        DeliveryError: no answer, a refusal, or one that is not a JSON object within 64 KiB.
    """
    call = _call(system, path, query)
    if not connection.in_atomic_block:
        connection.close()
    started, outcome = time.monotonic(), "answered"
    try:
        response = send(call, deadline=deadline)
        check_status(response)
        return _object(response)
    except DeliveryError as error:
        outcome = str(error)
        raise
    finally:
        milliseconds = int((time.monotonic() - started) * 1000)
        log.info("system_asked", system=str(system.id), path=path, outcome=outcome, milliseconds=milliseconds)


def _call(system: System, path: str, query: Mapping[str, str | int]) -> Call:
    try:
        token = system.credentials.get("access_token")
    except ConfigurationError as error:
        raise OurFault(str(error)) from error
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    return Call("GET", f"{system.base_url.rstrip('/')}{path}?{urlencode(query)}", b"", headers)


def _object(response: Response) -> dict[str, Any]:
    if len(response.body) >= MOST_BYTES:
        raise Permanent("the answer is longer than 64 KiB")
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError) as error:
        raise Permanent("the answer is not JSON") from error
    if not isinstance(answer, dict):
        raise Permanent("the answer is not a JSON object")
    return answer
