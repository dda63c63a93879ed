"""Web Push from a vendor's webhook to a push service, through real workers."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integrations.models import Delivery, Route
from integrations.states import State
from notifications.channels.web_push import keys, subscriptions
from notifications.models import Notification, TraceEntry
from tests.factories import SystemFactory
from tests.live.world import World
from tests.polling import until
from wedsync.weddings import personal_links
from wedsync.weddings.models import Device

PUSH = "web_push"


@pytest.fixture
def pushing(world: World, settings: Any) -> Iterator[World]:
    """The couple has two browsers that ask for notifications."""
    settings.OUTBOUND_ALLOW = [f"127.0.0.1/32:{world.product.sandbox_port}"]
    world.systems[PUSH] = SystemFactory(
        organization=world.organization, name=PUSH, kind=PUSH, base_url="https://hub.example", credentials={}
    )
    for name in ("phone", "laptop"):
        subscribe(world, f"{name} {world.organization.slug}")
    yield world
    Device.objects.filter(organization=world.organization).delete()


def subscribe(world: World, name: str) -> dict[str, Any]:
    url = f"{world.product.sandbox_url}/_/subscriptions"
    given: dict[str, Any] = requests.post(url, json={"name": name, "key": keys.public_key()}, timeout=10).json()
    subscriptions.subscribe(personal_links.issue(world.people["couple"]), subscriptions.read(given), name)
    return given


def shown(world: World) -> list[dict[str, Any]]:
    """What the browsers of this world have shown, oldest first."""
    return [each for each in world.product.messages(PUSH) if each["to"].endswith(world.organization.slug)]


def by(world: World, route: str, *channels: str) -> None:
    Route.objects.filter(organization=world.organization, name=route).update(channels=list(channels))


def test_an_event_is_shown_in_both_browsers_of_a_person(pushing: World) -> None:
    by(pushing, "Couple: capacity by WhatsApp", "whatsapp", PUSH)
    began = time.monotonic()

    assert pushing.capacity(120).status_code == 202

    until(lambda: len(shown(pushing)) == 2, 15, what="two notifications")
    print(f"from the webhook to two browsers: {time.monotonic() - began:.3f} s")
    first, second = shown(pushing)
    assert first["to"] != second["to"]
    assert first["text"] == second["text"]
    assert "120" in first["text"]
    assert first["view"].keys() >= {"title", "navigate", "tag"}
    accepted = TraceEntry.objects.filter(organization=pushing.organization, channel=PUSH, what="sent")
    until(lambda: accepted.count() == 2, what="the trace")


def test_an_emergency_by_push_alone_still_goes_by_the_other_channels(pushing: World) -> None:
    by(pushing, "Emergency: everyone", PUSH)

    assert pushing.emergency().status_code == 202

    until(lambda: len(shown(pushing)) >= 2, 15, what="two notifications")
    mine = Delivery.objects.filter(organization=pushing.organization, contact=pushing.people["couple"])
    until(mine.exclude(channel=PUSH).filter(state=State.SUCCEEDED).exists, 20, what="another channel")
    told = Notification.objects.filter(
        organization=pushing.organization, contact=pushing.people["couple"], priority="urgent"
    )
    until(told.filter(step__gte=1).exists, what="the next step")


def test_a_browser_that_has_left_ends_there_and_the_other_goes_on(pushing: World) -> None:
    by(pushing, "Couple: capacity by WhatsApp", "whatsapp", PUSH)
    gone = subscribe(pushing, f"tablet {pushing.organization.slug}")
    token = gone["endpoint"].rpartition("/")[2]
    requests.delete(f"{pushing.product.sandbox_url}/_/subscriptions/{token}", timeout=10).raise_for_status()

    pushing.capacity(130)

    devices = Device.objects.filter(organization=pushing.organization)
    until(lambda: devices.count() == 2, 15, what="the end of the third")
    until(lambda: len(shown(pushing)) == 2, 15, what="the others")
    for log in pushing.product.home.glob("*.log"):
        text = log.read_text()
        assert token not in text, log.name
        assert gone["keys"]["auth"] not in text, log.name
