"""Connections and their secrets by the API, as staff configure them in the admin."""

from typing import Any

import pytest
from django.db.models import Q

from integrations.models import Connection, ConnectionSecret
from tests.factories import ConnectionFactory, EventFactory, SystemFactory
from tests.wedsync.api.blamed import fields
from tests.wedsync.api.conftest import Api
from wedsync import vault
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Organization

pytestmark = pytest.mark.django_db


def test_a_connection_is_made_with_its_url_and_limits(api: Api, ours: Organization) -> None:
    system = SystemFactory(organization=ours)
    body = {"system": str(system.id), "limit_per_hour": 50, "networks": ["203.0.113.0/24", "203.0.113.0/24"]}

    made = api.send("post", "connections/", body)

    assert made.status_code == 201, made.content
    row = Connection.objects.get(id=made.json()["id"])
    assert (row.organization, row.system, row.limit_per_hour, row.networks) == (ours, system, 50, ["203.0.113.0/24"])
    assert made.json()["url"].endswith(f"/api/webhooks/channel-events/{row.id}")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"networks": ["10.0.0.0/2"]}, "networks"),
        ({"networks": ["here"]}, "networks"),
        ({"limit_per_hour": 0}, "limit_per_hour"),
        ({"state": "paused"}, "state"),
        ({"system": "no id"}, "system"),
    ],
)
def test_a_connection_that_can_not_be_taken_names_the_field(
    api: Api, ours: Organization, change: dict[str, Any], field: str
) -> None:
    body = {"system": str(SystemFactory(organization=ours).id)}

    assert fields(api.send("post", "connections/", {**body, **change})) == {field}


def test_a_connection_is_paused_resumed_and_disabled(api: Api, ours: Organization) -> None:
    row = ConnectionFactory(organization=ours)
    EventFactory(organization=ours, routing=ChannelEvent.Routing.HELD, source_connection_id=row.id)

    states = [api.send("post", f"connections/{row.id}/{verb}/").json() for verb in ("pause", "resume", "disable")]

    assert (states[0]["state"], states[1]["due"], states[2]["state"]) == ("paused", 1, "disabled")
    assert ChannelEvent.objects.filter(routing="pending").count() == 1


def test_a_secret_is_shown_once_and_the_older_ones_end_when_told(api: Api, ours: Organization) -> None:
    row = ConnectionFactory(organization=ours, secret="the first")

    made = api.send("post", f"connections/{row.id}/secrets/", {"overlap_seconds": 3600})
    listed = api.send("get", f"connections/{row.id}/secrets/")

    assert made.status_code == 201
    assert [secret["live"] for secret in listed.json()] == [True, True]
    assert all(text not in listed.content.decode() for text in (made.json()["secret"], "the first", "sealed"))
    assert vault.decrypt(row.secrets.get(id=listed.json()[0]["id"]).sealed) == made.json()["secret"]
    assert api.send("delete", f"connections/{row.id}/secrets/").json() == {"ended": 1}
    again = api.send("get", f"connections/{row.id}/secrets/").json()
    assert [secret["live"] for secret in again] == [True, False]


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("venue_master", {"secret": "mine"}, "secret"),
        ("venue_master", {"purpose": "handshake"}, "purpose"),
        ("venue_master", {"overlap_seconds": -1}, "overlap_seconds"),
        ("whatsapp", {}, "secret"),
        ("whatsapp", {"secret": "with a space"}, "secret"),
        ("slack", {"purpose": "handshake"}, "purpose"),
    ],
)
def test_a_secret_that_does_not_fit_the_other_side_is_refused(
    api: Api, ours: Organization, kind: str, body: dict[str, Any], field: str
) -> None:
    row = ConnectionFactory(organization=ours, system=SystemFactory(organization=ours, kind=kind))

    assert fields(api.send("post", f"connections/{row.id}/secrets/", body)) == {field}
    assert not row.secrets.exists()


def test_a_providers_own_secret_is_stored_and_not_sent_back(api: Api, ours: Organization) -> None:
    row = ConnectionFactory(organization=ours, system=SystemFactory(organization=ours, kind="whatsapp"))

    theirs = api.send("post", f"connections/{row.id}/secrets/", {"secret": "theappsecretof1"})
    handshake = api.send("post", f"connections/{row.id}/secrets/", {"purpose": "handshake"})

    assert theirs.json() == {"secret": None, "purpose": "signing"}
    assert len(handshake.json()["secret"]) > 30
    stored = ConnectionSecret.objects.get(Q(purpose="signing"), connection=row)
    assert vault.decrypt(stored.sealed) == "theappsecretof1"


@pytest.mark.parametrize("kind", ["webhook", "email"])
def test_a_connection_of_a_system_that_sends_us_nothing_is_refused(api: Api, ours: Organization, kind: str) -> None:
    row = SystemFactory(organization=ours, kind=kind, credentials={"provider": "smtp"} if kind == "email" else {})

    assert fields(api.send("post", "connections/", {"system": str(row.id)})) == {"system"}
