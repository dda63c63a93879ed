"""The breaker on a system's page: staff trip it, reset it, and read what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import redis
from django.test import Client
from django.utils import timezone

from integrations import admission
from integrations.admission import BreakerEffect, BreakerState, CallResult, breakers, lane_of
from integrations.admission.scripts import scripts_at
from integrations.models import BreakerChange, System
from integrations.states import Reason, State
from tests import factories
from tests.wedsync.admin.conftest import House
from wedsync.weddings.models import Membership

SignIn = Callable[..., Client]
Role = Membership.Role
LIST = "/admin/integrations/system/"
HISTORY = "/admin/integrations/breakerchange/"


def page(system: System, name: str = "change") -> str:
    return f"{LIST}{system.pk}/{name}/"


def standing(system: System) -> BreakerState:
    return admission.look([lane_of(system)])[str(system.pk)].state


@pytest.fixture
def system(ours: House) -> Iterator[System]:
    system: System = ours.rows[System]
    yield system
    admission.reset(lane_of(system))


def changes(system: System) -> list[tuple[str, str, str | None]]:
    rows = BreakerChange.objects.filter(system=system).order_by("-id")
    return [(row.from_state, row.to_state, row.by.get_username() if row.by else None) for row in rows]


def test_tripping_asks_for_minutes_and_stops_what_goes_out(ours: House, system: System, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.SUPPORT)
    assert 'name="minutes"' in client.get(page(system, "trip-breaker")).content.decode()
    assert standing(system) == BreakerState.CLOSED, "following a link changes nothing"

    assert client.post(page(system, "trip-breaker"), {"minutes": "0"}).status_code == 200
    assert standing(system) == BreakerState.CLOSED
    assert client.post(page(system, "trip-breaker"), {"minutes": "45"}).status_code == 302

    permit = admission.ask(lane_of(system), urgent=True)
    assert not permit.granted
    assert 44 * 60 < permit.wait <= 45 * 60
    assert changes(system)[0][:2] == ("closed", "open")
    assert changes(system)[0][2] is not None
    text = client.get(page(system)).content.decode()
    assert "Tripped by staff for 45 min." in text
    assert "Open until" in text


def test_resetting_closes_it_and_lets_go_what_it_held(ours: House, system: System, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.SUPPORT)
    breakers.trip(system, seconds=600)
    held = factories.DeliveryFactory(
        organization=ours.organization,
        system=system,
        state=State.HELD,
        state_reason=Reason.BREAKER_OPEN,
        next_attempt_at=timezone.now() + timedelta(minutes=10),
    )
    due = held.next_attempt_at

    assert client.get(page(system, "reset-breaker")).status_code == 200
    assert standing(system) == BreakerState.OPEN
    assert client.post(page(system, "reset-breaker")).status_code == 302

    held.refresh_from_db()
    assert standing(system) == BreakerState.CLOSED
    assert held.next_attempt_at <= timezone.now() < due
    assert changes(system)[0][:2] == ("open", "closed")


def test_a_planner_and_another_organization_press_nothing(
    ours: House, theirs: House, system: System, sign_in: SignIn
) -> None:
    for client in (sign_in(ours, role=Role.PLANNER), sign_in(theirs)):
        for path in ("trip-breaker", "reset-breaker"):
            assert client.post(page(system, path), {"minutes": "5"}).status_code in {302, 403, 404}

    assert standing(system) == BreakerState.CLOSED
    assert changes(system) == [("closed", "open", None)], "only the row that was there"


def test_the_list_shows_each_breaker_and_asks_redis_once(
    ours: House, system: System, sign_in: SignIn, settings: object
) -> None:
    others = [factories.SystemFactory(organization=ours.organization) for _ in range(5)]
    client = sign_in(ours)
    breakers.trip(system, seconds=600)
    redis_client = scripts_at(settings.BREAKER_URL).client  # type: ignore[attr-defined]
    before = calls(redis_client)

    text = client.get(LIST).content.decode()

    assert text.count(">open<") == 1
    assert text.count(">closed<") == len(others)
    assert calls(redis_client) - before <= 2, "one for the page, one for this look at the counter"


def calls(client: redis.Redis) -> int:
    """How often TIME was asked for: once in each look."""
    return int(client.info("commandstats").get("cmdstat_time", {}).get("calls", 0))


def test_the_history_is_written_by_what_results_do_and_bounded(
    ours: House, theirs: House, system: System, sign_in: SignIn
) -> None:
    lane = lane_of(system)
    for _ in range(5):
        permit = admission.ask(lane, urgent=False)
        change = admission.report(lane, permit, CallResult.FAILED, delivery_id=uuid4(), alone=True)
        breakers.record_change(system, change)
    assert change == BreakerEffect.OPENED
    assert [row[:2] for row in changes(system)] == [("closed", "open")] * 2, "the house's own, and this one"

    seen = sign_in(ours).get(HISTORY).content.decode()
    assert "Too many calls failed." in seen
    other = sign_in(theirs)
    assert "Too many calls failed." not in other.get(HISTORY).content.decode()
    row = BreakerChange.objects.filter(system=system).latest("id")
    assert other.get(f"{HISTORY}{row.pk}/change/").status_code == 302


def test_webhooks_to_one_host_share_a_breaker_within_their_organization(ours: House, theirs: House) -> None:
    def webhook(house: House, url: str) -> System:
        return factories.SystemFactory(organization=house.organization, kind=System.Kind.WEBHOOK, base_url=url)  # type: ignore[no-any-return]

    first, second = webhook(ours, "https://Hooks.example/a"), webhook(ours, "https://hooks.example:443/b")
    elsewhere, foreign = webhook(ours, "https://hooks.example:8443/"), webhook(theirs, "https://hooks.example/a")

    assert lane_of(first).breaker_key == lane_of(second).breaker_key
    assert lane_of(elsewhere).breaker_key != lane_of(first).breaker_key != lane_of(foreign).breaker_key
    assert {each.pk for each in breakers.sharing(first)} == {first.pk, second.pk}
