"""Alerts and readings of health in the admin."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from integrations.health import alerts
from integrations.health.round import sweep_health
from integrations.models import Alert, System
from integrations.models.health import Cause
from tests.wedsync.admin.conftest import House
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Membership

SignIn = Callable[..., Client]
Role = Membership.Role


def resolve_page(house: House) -> str:
    return reverse("admin:integrations_alert_resolve", args=[house.rows[Alert].pk])


def test_support_closes_an_alert_once_it_was_asked(ours: House, sign_in: SignIn) -> None:
    client = sign_in(ours, role=Role.SUPPORT)
    alert = ours.rows[Alert]

    assert client.get(resolve_page(ours)).status_code == 200
    alert.refresh_from_db()
    assert alert.resolved_at is None, "following a link changes nothing"
    assert client.post(resolve_page(ours)).status_code == 302

    alert.refresh_from_db()
    assert alert.resolved_at
    assert ChannelEvent.objects.filter(type="ops.alert_resolved", organization=ours.organization).count() == 1
    page = client.get(reverse("admin:integrations_alert_change", args=[alert.pk])).content.decode()
    assert "/resolve" not in page


def test_a_planner_and_staff_of_others_close_none(ours: House, theirs: House, sign_in: SignIn) -> None:
    for client, house in ((sign_in(ours, role=Role.PLANNER), ours), (sign_in(ours), theirs)):
        assert client.post(resolve_page(house)).status_code == 404
    assert not Alert.objects.exclude(resolved_at=None).exists()


def test_a_systems_page_tells_how_it_does_and_did(ours: House, sign_in: SignIn) -> None:
    client, system = sign_in(ours), ours.rows[System]
    path = reverse("admin:integrations_system_change", args=[system.pk])
    assert "not swept yet" in client.get(path).content.decode()

    sweep_health()

    text = client.get(path).content.decode()
    assert "Healthy (100)" in text
    assert "Oldest due</th>" in text
    alerts.raise_alert(system.organization_id, Cause.SYSTEM_STOPPED, "It stopped.", system=system)
    text = client.get(path).content.decode()
    assert "Warning (100)" in text
    assert "An alert is open: A system was stopped." in text, "as the API says it"
