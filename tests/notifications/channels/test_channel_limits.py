"""Providers that want us to be slower: their limits, and how long each is left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations import admission
from integrations.models import Delivery, System
from notifications.channels.whatsapp import pair_limit
from tests.factories import SystemFactory
from tests.notifications.channels.phones import OUTAGE, happened, on, person, to_couple, work
from tests.sandbox.sandbox_peer import Peer
from wedsync.weddings.models import Wedding

pytestmark = pytest.mark.django_db(transaction=True)


def test_131056_waits_for_that_pair_only(wedding: Wedding, outside: Peer) -> None:
    person(wedding, "+12025550111")
    person(wedding, "+12025550112")
    to_couple(wedding)
    outside.fault("whatsapp", "status", status=400, code=131056, count=1)
    event = happened(wedding)

    work(event)
    work(happened(wedding))

    assert {message["to"] for message in outside.messages("whatsapp")} == {"+12025550112"}
    waiting = Delivery.objects.filter(target="+12025550111").order_by("id")
    assert waiting[0].state_reason in {"throttled", "pair_limited"}, "the latter where it has come due again meanwhile"
    assert (waiting[1].state, waiting[1].state_reason) == ("held", "pair_limited")
    assert System.objects.get(kind="whatsapp").state == "active"


def test_a_pair_has_its_rate_and_urgent_news_a_share_of_it(wedding: Wedding) -> None:
    person(wedding)
    to_couple(wedding)
    row = on(happened(wedding), "whatsapp")
    other = Delivery(system_id=row.system_id, target="+12025550199", priority="normal")
    urgent = Delivery(system_id=row.system_id, target=row.target, priority="urgent")

    taken = sum(pair_limit.reserve(row) is None for _ in range(60))

    assert taken == 36, "of 45 a fifth is left to the urgent"
    wait = pair_limit.reserve(row)
    assert wait
    assert 0 < wait <= pair_limit.SECONDS_EACH
    assert pair_limit.reserve(other) is None
    assert pair_limit.reserve(urgent) is None


def test_131048_leaves_the_number_alone_for_an_hour(wedding: Wedding, outside: Peer) -> None:
    for number in range(4):
        person(wedding, f"+1202555012{number}")
    to_couple(wedding)
    outside.fault("whatsapp", "status", status=400, code=131048)

    work(happened(wedding))

    held = Delivery.objects.filter(channel="whatsapp").exclude(state="scheduled")
    assert {(row.state, row.state_reason) for row in held} == {("held", "throttled")}
    assert min(row.next_attempt_at for row in held) > timezone.now() + timedelta(minutes=50)


@pytest.mark.parametrize(
    ("channel", "service", "options"),
    [
        ("whatsapp", "whatsapp", {"status": 400, "code": 130429}),
        ("whatsapp", "whatsapp", {"status": 429}),
        ("email", "resend", {"status": 429, "code": "rate_limit_exceeded"}),
        ("slack", "slack", {"status": 429}),
    ],
)
@pytest.mark.parametrize("later", ["payment.failed", "venue.emergency_reported"])
def test_nothing_that_comes_later_calls_a_provider_before_the_end_that_it_named(
    channel: str, service: str, options: dict[str, Any], later: str, wedding: Wedding, outside: Peer
) -> None:
    person(wedding, preferred_channels=[channel])
    team = {"roles": [], "system": System.objects.get(kind="slack")} if channel == "slack" else {"channels": [channel]}
    to_couple(wedding, **team)
    outside.fault(service, "status", **options, retry_after=600)
    work(happened(wedding))
    asked = outside.request_log(service)["counts"]["total"]

    event = happened(wedding, later, OUTAGE if later.startswith("venue.") else None)
    work(event)

    assert outside.request_log(service)["counts"]["total"] == asked == 1
    row = on(event, channel)
    assert (row.state, row.state_reason, row.attempt_count) == ("held", "throttled", 0)
    assert row.next_attempt_at > timezone.now() + timedelta(seconds=580)
    if later.startswith("venue.") and channel != "slack":
        others = Delivery.objects.filter(event=event, contact__isnull=False).exclude(channel=channel)
        assert others.filter(state="succeeded").exists(), "what is urgent goes on by another channel at once"


def test_an_exhausted_quota_is_asked_once_also_for_what_comes_later_and_for_urgent_news(
    wedding: Wedding, outside: Peer
) -> None:
    for number in range(3):
        person(wedding, f"+1202555013{number}", preferred_channels=["email"])
    to_couple(wedding, channels=["email"])
    outside.fault("resend", "status", code="daily_quota_exceeded")

    for event in [happened(wedding), happened(wedding), happened(wedding, "venue.emergency_reported", OUTAGE)]:
        work(event)

    refused = [each for each in outside.request_log("resend")["rows"] if each["status"] == 429]
    assert len(refused) <= 2, "at most what had begun before the first answer"
    urgent = Delivery.objects.filter(event__type="venue.emergency_reported")
    assert {row.state_reason for row in urgent.filter(channel="email")} == {"throttled"}
    assert urgent.filter(channel="whatsapp", state="succeeded").count() == 3


def test_the_providers_rates_count_where_a_system_has_none_of_its_own() -> None:
    lanes = {kind: admission.lane_of(SystemFactory(kind=kind)) for kind in ("whatsapp", "slack", "email", "shootq")}

    assert [(lane.rate, lane.burst) for lane in lanes.values()] == [(80, 80), (1, 5), (5, 10), (None, 2)]
    assert admission.lane_of(SystemFactory(kind="email", rate_per_second=2)).burst == 2
