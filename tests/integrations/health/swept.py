"""Rows for the health sweep, and what it reads from them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import redis
from django.conf import settings

from integrations import admission
from integrations.health.round import sweep_health
from integrations.models import HealthReading, System
from integrations.states import Outcome, State
from tests.factories import AttemptFactory, DeliveryFactory, EventFactory
from tests.integrations.admission.aging import age

AGO = timedelta(minutes=5)


def reading(system: System) -> HealthReading:
    """The system's, after a sweep."""
    assert sweep_health()
    return HealthReading.objects.get(system=system)


def tries(system: System, *, succeeded: int, failed: int = 0, **rest: Any) -> None:
    """Finished attempts, each of a delivery of its own."""
    common = {"organization": system.organization, "system": system}
    event = EventFactory(organization=system.organization)
    for number in range(succeeded + failed):
        delivery = DeliveryFactory(**common, event=event, state=State.SUCCEEDED, generation=number)
        outcome = Outcome.SUCCEEDED if number < succeeded else Outcome.FAILED
        error = "" if number < succeeded else "ServerError"
        AttemptFactory(**{"delivery": delivery, "outcome": outcome, "error_class": error} | rest)


def due(system: System, **rest: Any) -> None:
    DeliveryFactory(organization=system.organization, system=system, **rest)


def open_breaker(system: System) -> None:
    """As five failures of two deliveries do."""
    lane = admission.lane_of(system)
    for _ in range(settings.BREAKER_FAILURES):
        permit = admission.ask(lane, urgent=False)
        change = admission.report(lane, permit, admission.CallResult.FAILED, delivery_id=uuid4(), alone=False)
    assert change == "opened"


def let_it_probe(system: System) -> None:
    """The time for which its breaker is open has passed."""
    age(redis.Redis.from_url(settings.BREAKER_URL), admission.lane_of(system), 600)
