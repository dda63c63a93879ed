"""The page behind a mail's link: to look at it does nothing, its button does."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.models import Delivery
from notifications import links, raising
from notifications.models import Incident
from tests.notifications.emergencies import Stage, set_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return set_stage()


def address(stage: Stage) -> str:
    event = stage.report("<script>alert(1)</script> The hall is dark")
    delivery = Delivery.objects.get(event=event, contact=stage.clara, channel="email")
    return f"{links.ACKNOWLEDGE_PATH}{links.acknowledge_token(delivery.id)}/"


def test_to_look_at_it_does_nothing(stage: Stage) -> None:
    url, client = address(stage), Client(enforce_csrf_checks=True)

    shown = client.get(url)
    client.head(url)

    assert shown.status_code == 200
    assert Incident.objects.get().state == "open"
    text = shown.content.decode()
    assert "I take care of it" in text
    assert "<script>" not in text
    assert (shown["Cache-Control"], shown["Referrer-Policy"]) == ("no-store", "no-referrer")


def test_its_button_acknowledges_by_name_and_then_says_who_did_and_when(stage: Stage) -> None:
    url, client = address(stage), Client(enforce_csrf_checks=True)

    pressed = client.post(url)

    incident = Incident.objects.get()
    assert (incident.state, incident.acknowledged_by, incident.acknowledged_via) == (
        "acknowledged", "Clara Moser", "email",
    )  # fmt: skip
    for shown in (pressed, client.get(url), client.post(url)):
        text = shown.content.decode()
        assert "Clara Moser" in text
        assert "takes care of it since" in text
        assert "Europe/Vienna" in text
        assert "<button" not in text


def test_damaged_old_and_ended_ones_say_so(stage: Stage) -> None:
    url, client = address(stage), Client()

    damaged = client.post(url[:-3] + "xx/")
    assert damaged.status_code == 404
    assert "does not work" in damaged.content.decode()
    Incident.objects.update(opened_at=timezone.now() - timedelta(hours=25))
    assert client.post(url).status_code == 410
    Incident.objects.update(opened_at=timezone.now())
    raising.resolve(Incident.objects.get(), by="ines")
    assert "It is over" in client.post(url).content.decode()
    assert Incident.objects.get().acknowledged_at is None
