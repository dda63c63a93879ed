"""What a contact has had on a screen counts as read, never as acknowledged, and the trace says when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from notifications import fallback
from notifications.models import Incident, Notification, TraceEntry
from notifications.trace import answers
from tests.factories import (
    ApiKeyFactory,
    ChannelFactory,
    ContactFactory,
    EntryFactory,
    EventFactory,
    IncidentFactory,
    NotificationFactory,
    OrganizationFactory,
    WeddingFactory,
)
from tests.wedsync.api.conftest import Api
from wedsync.live import seen
from wedsync.live.access import passes
from wedsync.live.models import Seen
from wedsync.live.seen import SeenForbidden, SeenRefused
from wedsync.weddings.models import ApiKey, Contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Any:
    return ContactFactory(role="couple", name="Anna", phone="+12025550111", email="anna@people.example")


@pytest.fixture
def channel(anna: Contact) -> Any:
    made = ChannelFactory(organization=anna.organization, name=f"couple:dashboard:{anna.wedding_id}", last_sequence=3)
    for sequence in (1, 2, 3):
        event = EventFactory(organization=anna.organization, wedding=anna.wedding)
        EntryFactory(channel=made, event=event, sequence=sequence)
    return made


def event_of(channel: Any, sequence: int) -> Any:
    return channel.entries.get(sequence=sequence).event


def told(anna: Contact, event: Any, **more: Any) -> Notification:
    made: Notification = NotificationFactory(
        organization=anna.organization, event=event, contact=anna, recipient=f"contact:{anna.id}", name="Anna", **more
    )
    return made


def test_the_highest_sequence_is_kept(anna: Contact, channel: Any) -> None:
    said = [seen.note(anna, channel.name, sequence) for sequence in (2, 1, 2, 3)]

    assert said == [True, False, False, True]
    assert Seen.objects.get().sequence == 3


@pytest.mark.parametrize("sequence", [0, 4])
def test_what_the_channel_has_not_reached_was_seen_by_nobody(anna: Contact, channel: Any, sequence: int) -> None:
    with pytest.raises(SeenRefused):
        seen.note(anna, channel.name, sequence)


def test_the_trace_of_each_event_says_when_it_was_on_the_screen(anna: Contact, channel: Any) -> None:
    notification = told(anna, event_of(channel, 2))

    seen.note(anna, channel.name, 2)
    seen.note(anna, channel.name, 3)

    rows = TraceEntry.objects.filter(what="seen").order_by("event_id")
    assert [row.event_id for row in rows] == [event_of(channel, number).id for number in (1, 2, 3)]
    at = Seen.objects.get().seen_at.astimezone(anna.wedding.zone)
    assert rows[2].text == f"Anna had it on screen at {at:%H:%M:%S} (Europe/Vienna)"
    assert rows[1].text in [line.text for line in answers.timeline(notification)]


def test_a_notification_that_was_on_the_screen_has_been_read(anna: Contact, channel: Any) -> None:
    notification = told(anna, event_of(channel, 1))

    seen.note(anna, channel.name, 1)

    notification.refresh_from_db()
    found = answers.answer(notification)
    assert notification.seen_at is not None
    assert (found.got, found.at) == (answers.Got.READ, notification.seen_at)
    assert found.text.startswith("Yes: Anna had it on screen at ")
    assert notification.state == Notification.State.REACHED


def test_what_came_later_was_not_read(anna: Contact, channel: Any) -> None:
    later = told(anna, event_of(channel, 2))

    seen.note(anna, channel.name, 1)

    later.refresh_from_db()
    assert later.seen_at is None
    assert not TraceEntry.objects.filter(event=later.event).exists()


def test_the_first_time_stays(anna: Contact, channel: Any) -> None:
    notification = told(anna, event_of(channel, 1))
    first = timezone.now() - timedelta(hours=1)
    Notification.objects.update(seen_at=first)

    seen.note(anna, channel.name, 1)

    notification.refresh_from_db()
    assert notification.seen_at == first


def test_the_same_person_under_another_contact_has_read_it(anna: Contact, channel: Any) -> None:
    again = ContactFactory(
        organization=anna.organization, wedding=anna.wedding, role="couple", name="Anna", phone=anna.phone, email=""
    )
    notification = told(again, event_of(channel, 1))
    other = told(
        ContactFactory(organization=anna.organization, wedding=anna.wedding, phone="+12025550122"), event_of(channel, 1)
    )

    seen.note(anna, channel.name, 1)

    for row in (notification, other):
        row.refresh_from_db()
    assert notification.seen_at is not None
    assert other.seen_at is None


def test_an_emergency_that_was_seen_is_not_acknowledged(anna: Contact, channel: Any) -> None:
    event = event_of(channel, 1)
    incident = IncidentFactory(organization=anna.organization, wedding=anna.wedding, event=event)
    told(anna, event)

    seen.note(anna, channel.name, 1)

    incident.refresh_from_db()
    assert (incident.state, incident.acknowledged_at) == (Incident.State.OPEN, None)


def test_a_plan_does_not_go_on_for_somebody_who_has_seen_it(anna: Contact, channel: Any) -> None:
    notification = told(anna, event_of(channel, 1), look_at=timezone.now())
    Notification.objects.update(seen_at=timezone.now())

    fallback.judge(notification.id)

    notification.refresh_from_db()
    assert (notification.state, notification.look_at) == (Notification.State.REACHED, None)


def test_a_contact_reports_for_itself_alone(anna: Contact, channel: Any) -> None:
    key = ApiKeyFactory(organization=anna.organization)
    pass_ = passes.of_key(key, contact=anna)

    assert seen.report(pass_, channel.name, 1)
    with pytest.raises(SeenRefused):
        seen.report(pass_, channel.name, 2, uuid4())
    with pytest.raises(SeenForbidden):
        seen.report(pass_, f"couple:dashboard:{WeddingFactory(organization=anna.organization).id}", 1)


@pytest.mark.parametrize("scopes", [["live:read"], ["live:read", "live:presence"]])
def test_without_the_right_nothing_is_reported(anna: Contact, channel: Any, scopes: list[str]) -> None:
    pass_ = passes.of_key(ApiKeyFactory(organization=anna.organization, scopes=scopes), contact=anna)

    with pytest.raises(SeenForbidden):
        seen.report(pass_, channel.name, 1)
    assert not Seen.objects.exists()


@pytest.mark.parametrize("whose", ["another organization's", "another wedding's", "nobody's"])
def test_a_key_names_a_contact_to_whom_the_channel_is_open(anna: Contact, channel: Any, whose: str) -> None:
    ApiKeyFactory(organization=anna.organization, key="wsk_seen")
    others = {
        "another organization's": ContactFactory(organization=OrganizationFactory(), role="couple").id,
        "another wedding's": ContactFactory(organization=anna.organization, role="couple").id,
        "nobody's": uuid4(),
    }
    api, path = Api("wsk_seen"), f"/api/channels/{channel.name}/seen/"

    refused = api.send("post", path, {"contact": str(others[whose]), "sequence": 1})
    taken = api.send("post", path, {"contact": str(anna.id), "sequence": 1})

    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["contact"]
    assert (taken.status_code, taken.json()) == (200, {"new": True})
    assert Seen.objects.get().contact_id == anna.id
    assert ApiKey.objects.get().organization_id == anna.organization_id
