"""What is written down of breakers, and how long it is kept."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from integrations import tasks
from integrations.admission import BreakerEffect, breakers, lane_of
from integrations.models import BreakerChange, System
from tests import factories

pytestmark = pytest.mark.django_db


def test_only_what_changed_is_written_down() -> None:
    system: System = factories.SystemFactory()

    for change in BreakerEffect:
        breakers.record_change(system, change)

    rows = BreakerChange.objects.order_by("id").values_list("from_state", "to_state", "breaker_key", "organization_id")
    own = (str(system.id), system.organization_id)
    assert set(rows) == {("closed", "open", *own), ("half_open", "open", *own), ("half_open", "closed", *own)}


def test_changes_are_forgotten_after_thirty_days() -> None:
    ages = [timedelta(days=29, hours=23), timedelta(days=30, hours=1), timedelta(days=300)]
    rows = [factories.BreakerChangeFactory(at=timezone.now() - age) for age in ages]

    tasks.prune_breaker_changes()
    tasks.prune_breaker_changes()

    assert list(BreakerChange.objects.values_list("id", flat=True)) == [rows[0].id]


def test_a_lane_has_the_limits_of_its_system_and_four_calls_by_default() -> None:
    system = System(id=uuid4(), kind=System.Kind.SHOOTQ, base_url="https://shootq.example")
    lane = lane_of(system)
    assert (lane.breaker_key, lane.call_limit, lane.rate) == (str(system.id), 4, None)

    system.call_limit, system.rate_per_second, system.rate_burst = 9, 2.5, None
    lane = lane_of(system)
    assert (lane.call_limit, lane.rate, lane.burst, lane.kept) == (9, 2.5, 3, 1)
    system.rate_burst = 1
    assert lane_of(system).kept == 0, "a bucket of one token can keep none"
