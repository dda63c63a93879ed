"""How long a window is open, when it closes, and that each event is in one only."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from integrations.models import Delivery
from integrations.routing import route_event
from notifications.digests import closing, windows
from notifications.models import Window, WindowEntry
from tests.factories import WeddingFactory
from tests.notifications.digests.windowing import (
    MILESTONE,
    digests,
    fate,
    guests,
    let_time_pass,
    milestone,
    of,
    person,
    route_to_people,
    routed,
    stored,
)
from wedsync.live.models import ChannelEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("windows_of_the_product")]


def test_zero_turns_either_window_off(wedding: Any, settings: Settings) -> None:
    person(wedding)
    route_to_people(wedding)
    settings.DIGEST_SECONDS = settings.COLLAPSE_SECONDS = 0.0

    assert [fate(milestone(wedding)), fate(guests(wedding, 120, 110))] == [("pending", "")] * 2
    settings.DIGEST_SECONDS = 900.0
    assert [fate(milestone(wedding)), fate(guests(wedding, 130, 120))] == [("held", "gathered"), ("pending", "")]
    settings.DIGEST_SECONDS, settings.COLLAPSE_SECONDS = 0.0, 20.0
    assert [fate(milestone(wedding)), fate(guests(wedding, 140, 130))] == [("pending", ""), ("held", "gathered")]


def test_a_window_does_not_slide_and_after_its_time_another_is_opened(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    early = milestone(wedding)
    closes_at = Window.objects.get().closes_at
    milestone(wedding)
    assert Window.objects.get().closes_at == closes_at
    Window.objects.update(closes_at=timezone.now() - timedelta(seconds=1))

    late = milestone(wedding)

    assert of(early).window_entry.window != of(late).window_entry.window
    assert closing.close_due() == 1
    assert (fate(late), windows.digest_of(digests()[0])[0]) == (("held", "gathered"), early)


def test_two_open_windows_for_the_same_are_refused_by_the_database(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    milestone(wedding)
    window = Window.objects.get()
    window.pk = None

    with pytest.raises(IntegrityError, match="window_open_once"), transaction.atomic():
        Window.objects.create(**{field.attname: getattr(window, field.attname) for field in Window._meta.fields[1:]})


def test_an_event_in_two_messages_for_one_address_is_refused_by_the_database(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    first, second = milestone(wedding), milestone(wedding)
    entry = of(first).window_entry

    with pytest.raises(IntegrityError, match="window_entry_once"), transaction.atomic():
        WindowEntry.objects.filter(delivery=of(second)).update(event_id=entry.event_id)


def at_night(local: datetime) -> dict[str, Any]:
    """Quiet hours that began two hours ago and last for eight more."""
    return {
        "timezone": "Europe/Vienna",
        "quiet_from": (local - timedelta(hours=2)).time().replace(microsecond=0),
        "quiet_until": (local + timedelta(hours=8)).time().replace(microsecond=0),
    }


@pytest.mark.parametrize("send", [milestone, lambda wedding: guests(wedding, 120, 110)])
def test_in_quiet_hours_a_window_lasts_until_they_end(wedding: Any, send: Callable[[Any], ChannelEvent]) -> None:
    now = timezone.now().astimezone(ZoneInfo("Europe/Vienna"))
    night = at_night(now)
    person(wedding, **night)
    route_to_people(wedding)

    event = send(wedding)

    closes_at = Window.objects.get().closes_at.astimezone(now.tzinfo)
    assert (closes_at.time(), fate(event)) == (night["quiet_until"], ("held", "gathered"))
    assert timedelta(hours=7) < closes_at - now < timedelta(hours=9)


def test_what_came_in_the_night_is_one_message_in_the_morning(wedding: Any) -> None:
    anna = person(wedding, **at_night(timezone.now().astimezone(ZoneInfo("Europe/Vienna"))))
    route_to_people(wedding)
    events = (milestone(wedding), milestone(wedding))

    let_time_pass()

    (digest,) = digests()
    assert (digest.contact, windows.digest_of(digest)) == (anna, events)


def test_a_window_ends_before_what_it_holds_expires(settings: Settings) -> None:
    settings.DIGEST_SECONDS = 30 * 86_400.0
    wedding = WeddingFactory(date=date(2030, 6, 19))
    person(wedding)
    route_to_people(wedding)

    delivery = of(milestone(wedding))

    assert Window.objects.get().closes_at < delivery.next_attempt_at < delivery.expires_at


def test_what_no_closer_ever_sees_goes_by_itself(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    first, second = milestone(wedding), milestone(wedding)
    window = Window.objects.get()
    assert {of(event).next_attempt_at - window.closes_at for event in (first, second)} == {timedelta(minutes=10)}

    Delivery.objects.filter(event=first).update(state="succeeded", state_reason="")  # a worker took it when due
    let_time_pass()

    assert [of(event).window_entry.outcome for event in (first, second)] == ["left", "went_alone"]
    assert digests() == []


def test_routing_an_event_again_does_not_disturb_what_was_decided(wedding: Any) -> None:
    anna = person(wedding)
    route_to_people(wedding)
    events = (milestone(wedding), milestone(wedding))
    let_time_pass()
    milestone(wedding, "Another window is open by now")
    person(wedding)

    assert route_event.route_again(events[0].id) == 1, "somebody new is to hear of it"

    assert fate_of(events[0], anna.email) == ("cancelled", "in_digest")
    assert WindowEntry.objects.filter(event=events[0]).count() == 2
    let_time_pass()
    assert windows.digest_of(digests()[0]) == events


def fate_of(event: ChannelEvent, target: str) -> tuple[str, str]:
    return Delivery.objects.values_list("state", "state_reason").get(event=event, target=target)


def test_the_same_address_in_another_organization_has_a_window_of_its_own(wedding: Any) -> None:
    theirs = WeddingFactory(date=date(2030, 6, 19))
    for each in (wedding, theirs):
        person(each, email="anna@people.example")
        route_to_people(each)
    ours = (milestone(wedding), milestone(wedding))
    milestone(theirs), milestone(theirs)

    let_time_pass()

    digest = Delivery.objects.get(organization=wedding.organization, dedupe_key__contains=":digest:")
    assert windows.digest_of(digest) == ours
    digest.organization = theirs.organization
    assert windows.digest_of(digest) == (), "it is bounded by its organization"


def test_how_many_ask_for_an_event_makes_no_more_queries(wedding: Any) -> None:
    route_to_people(wedding)
    counts = []
    for people in (1, 6):
        for _ in range(people):
            person(wedding)
        event = stored(wedding, MILESTONE, {"milestone": "Menu", "progress": 10})
        with CaptureQueriesContext(connection) as asked:
            route_event.route(event.id)
        counts.append(sum("notifications_window" in query["sql"] for query in asked.captured_queries))

    assert counts[0] == counts[1]


def test_a_broken_window_keeps_the_sweep_from_no_other(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    broken, sound = (routed(wedding, "booking.updated", {"booking_id": name, "status": "open"}) for name in ("1", "2"))
    ChannelEvent.objects.filter(id=broken.id).update(type="of.another.version")

    assert let_time_pass() == 1

    assert (fate(broken), fate(sound)) == (("held", "gathered"), ("held", ""))
    assert of(broken).window_entry.window.closes_at > timezone.now(), "it is looked at again, and not at once"
