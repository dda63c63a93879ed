"""Incidents in the admin: their page, the buttons that end them, and a wedding's button that raises one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from notifications.models import Incident
from tests.wedsync.admin.conftest import House, page
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Membership, Wedding

SignIn = Callable[..., Client]
Role = Membership.Role


def button(house: House, name: str) -> str:
    return reverse(f"admin:notifications_incident_{name}", args=[house.rows[Incident].pk])


@pytest.mark.parametrize("role", list(Role))
def test_any_of_staff_acknowledges_and_resolves_once_they_were_asked(ours: House, sign_in: SignIn, role: Role) -> None:
    client, incident = sign_in(ours, role=role), ours.rows[Incident]

    assert client.get(button(ours, "acknowledge")).status_code == 200
    incident.refresh_from_db()
    assert incident.state == "open", "following a link changes nothing"
    client.post(button(ours, "acknowledge"))
    incident.refresh_from_db()
    assert (incident.state, incident.acknowledged_via) == ("acknowledged", "the admin")
    client.post(button(ours, "resolve"))

    incident.refresh_from_db()
    assert incident.state == "resolved"
    assert client.get(page(Incident, "change", incident.pk)).status_code == 200


def test_an_incident_without_a_kind_is_called_an_emergency(ours: House, sign_in: SignIn) -> None:
    Incident.objects.update(kind="", description="")
    client, incident = sign_in(ours), ours.rows[Incident]
    pages = [page(Incident, "changelist"), page(Incident, "change", incident.pk), button(ours, "acknowledge")]

    for path in pages:
        assert "emergency" in client.get(path).content.decode().split("<main", 1)[-1]
    assert str(Incident.objects.get(pk=incident.pk)).startswith("emergency · ")


def test_staff_of_others_press_nothing(ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.OWNER)

    answers = [client.post(button(theirs, name)) for name in ("acknowledge", "resolve")]

    assert [answer.status_code for answer in answers] == [404, 404]
    theirs.rows[Incident].refresh_from_db()
    assert theirs.rows[Incident].state == "open"


def test_a_wedding_of_others_can_not_be_alarmed(ours: House, theirs: House, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.OWNER)
    said = {"kind": "fire", "description": "In the kitchen", "drill": "drill", "answered": "yes"}
    before = ChannelEvent.objects.count()

    raised = [
        client.post(reverse("admin:weddings_wedding_raise_emergency", args=[house.rows[Wedding].pk]), said)
        for house in (theirs, ours)
    ]

    assert [answer.status_code for answer in raised] == [404, 302]
    assert ChannelEvent.objects.count() == before + 1
    drill = Incident.objects.get(drill=True)
    assert drill.organization == ours.organization


def test_staff_say_in_the_admin_which_wedding_an_emergency_is_about_once(ours: House, sign_in: SignIn) -> None:
    wedding = ours.rows[Wedding]
    Incident.objects.update(wedding=None)
    client, incident = sign_in(ours), ours.rows[Incident]
    asked = client.get(button(ours, "choose_wedding"))
    assert wedding.couple.split(" &")[0] in asked.content.decode()
    assert client.post(button(ours, "choose_wedding"), {"wedding": ""}).status_code == 200
    incident.refresh_from_db()
    assert incident.state == "open"

    for _ in range(2):
        client.post(button(ours, "choose_wedding"), {"wedding": str(wedding.pk)})

    incident.refresh_from_db()
    assert (incident.state, incident.chosen_wedding) == ("resolved", wedding)
    assert client.get(page(Incident, "change", incident.pk)).status_code == 200
    assert client.get(page(Incident, "changelist")).status_code == 200
