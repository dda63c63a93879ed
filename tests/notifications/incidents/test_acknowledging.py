"""“I take care of it”: by a link that needs no login, once, and never by looking alone."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client

from integrations.models import Delivery
from notifications import links
from notifications.incidents import staff_actions
from notifications.models import Incident, TraceEntry
from tests.factories import DeliveryFactory, MessageFactory
from tests.notifications.incidents.incident_scene import Scene, live, make_scene
from wedsync.live.models import ChannelEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    made = make_scene()
    made.report()
    return made


def to(name: str, channel: str = "email") -> Delivery:
    return next(each for each in live(channel=channel) if (each.contact.name if each.contact else "") == name)


def url(delivery: Delivery) -> str:
    return f"/acknowledge/{links.acknowledge_token(delivery.id)}/"


def test_the_button_acknowledges_and_the_page_says_who_and_when_at_the_venue(scene: Scene) -> None:
    delivery = to("Clara")
    MessageFactory(organization=scene.wedding.organization, delivery=delivery)

    answer = Client(enforce_csrf_checks=True).post(url(delivery))

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<strong>Clara</strong> has been taking care of it since" in text
    assert "Europe/Vienna" in text
    assert "<button" not in text
    incident = scene.incident
    assert incident.acknowledged_at
    assert f"{incident.acknowledged_at.astimezone(scene.wedding.zone):%H:%M:%S}" in text
    assert (incident.state, incident.acknowledged_by, incident.acknowledged_via) == ("acknowledged", "Clara", "email")
    delivery.message.refresh_from_db()
    assert delivery.message.acknowledged_at
    assert TraceEntry.objects.filter(event=delivery.event, what="acknowledged").exists()


def test_whoever_comes_later_learns_who_was_first(scene: Scene, client: Client) -> None:
    client.post(url(to("Clara")))

    answer = client.post(url(to("Dora")))

    assert "<strong>Clara</strong>" in answer.content.decode()
    assert scene.incident.acknowledged_by == "Clara"
    assert ChannelEvent.objects.filter(type="incident.acknowledged").count() == 1


def test_the_page_is_kept_by_nobody_and_shown_in_no_frame(scene: Scene, client: Client) -> None:
    answer = client.get(url(to("Clara")))

    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer["X-Robots-Tag"]
    assert answer["X-Frame-Options"] == "DENY"
    assert not answer.cookies


@pytest.mark.parametrize("token", ["nonsense", "A" * 22 + ":" + "b" * 43, "é"])
def test_a_damaged_link_says_so(client: Client, token: str) -> None:
    for answer in (client.get(f"/acknowledge/{token}/"), client.post(f"/acknowledge/{token}/")):
        assert answer.status_code == 404
        assert "This link does not work" in answer.content.decode()


def test_a_link_about_something_else_acknowledges_nothing(scene: Scene, client: Client) -> None:
    other = DeliveryFactory(organization=scene.wedding.organization)

    assert client.post(url(other)).status_code == 404
    assert scene.incident.state == Incident.State.OPEN


@pytest.mark.parametrize("state", ["open", "acknowledged"])
def test_a_link_ends_after_a_day(scene: Scene, client: Client, state: str) -> None:
    Incident.objects.update(opened_at=Now() - timedelta(hours=24, seconds=5), state=state)

    answer = client.post(url(to("Clara")))

    assert answer.status_code == 410
    assert "more than a day old" in answer.content.decode()
    assert scene.incident.state == state


def test_the_page_says_that_it_is_over(scene: Scene, client: Client) -> None:
    delivery = to("Clara")
    staff_actions.resolve(scene.incident, by="Eva")

    text = client.post(url(delivery)).content.decode()

    assert "It is over" in text
    assert "<button" not in text
    assert scene.incident.state == Incident.State.RESOLVED


def test_what_the_reporter_wrote_is_harmless_on_the_page(scene: Scene, client: Client) -> None:
    Incident.objects.update(description="<script>alert(1)</script>", kind="<b>fire</b>")

    text = client.get(url(to("Clara"))).content.decode()

    assert "<script>" not in text
    assert "<b>" not in text
