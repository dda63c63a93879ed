"""Windows under many who route and close at the same moment, each with a connection of its own."""

import random
from collections import Counter, defaultdict
from datetime import date
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from pytest_django import Settings

from integrations.deliveries import staff_actions
from integrations.models import Delivery
from integrations.routing import route_event
from notifications.digests import closing, windows
from notifications.models import Window, WindowEntry
from tests.at_once import at_once
from tests.factories import WeddingFactory
from tests.notifications.digests.windowing import (
    MILESTONE,
    digests,
    fate,
    milestone,
    of,
    person,
    route_to_people,
    stored,
)
from tests.polling import until
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Wedding

pytestmark = pytest.mark.django_db(transaction=True)
ToldAs = WindowEntry.ToldAs
ROUTERS, CLOSERS, EVENTS = 4, 3, 72


@pytest.fixture(autouse=True)
def _short_windows(settings: Settings) -> None:
    settings.DIGEST_SECONDS, settings.COLLAPSE_SECONDS = 0.3, 0.2


@pytest.fixture
def long_windows(settings: Settings) -> None:
    """However slow the machine is, they end when the test says so."""
    settings.DIGEST_SECONDS = settings.COLLAPSE_SECONDS = 600


def end_windows() -> None:
    Window.objects.update(closes_at=Now())


@pytest.fixture
def wedding() -> Any:
    return WeddingFactory(date=date(2030, 6, 19))


def all_closed() -> bool:
    closing.close_due()
    return not Window.objects.filter(closed_at=None).exists()


def some_event(wedding: Wedding, number: int, chance: random.Random) -> ChannelEvent:
    """Low and gathered, low and of one client, or normal and of one of two bookings."""
    kind = chance.randrange(3)
    if kind == 0:
        return stored(wedding, MILESTONE, {"milestone": str(number), "progress": 10})
    if kind == 1:
        return stored(wedding, "client.updated", {"client_id": "C1", "name": str(number)})
    booking = {"booking_id": chance.choice(["B1", "B2"]), "status": str(number)}
    return stored(wedding, "booking.updated", booking)


def messages_by_place(deliveries: list[Delivery]) -> dict[tuple[Any, str, str], int]:
    """In how many messages an event is told, by event, channel and address; read from what is to be sent."""
    counts: Counter[tuple[Any, str, str]] = Counter()
    replaced: dict[tuple[Any, str], list[WindowEntry]] = defaultdict(list)
    for entry in WindowEntry.objects.filter(outcome=ToldAs.COLLAPSED):
        replaced[entry.window_id, entry.subject].append(entry)
    for delivery in deliveries:
        told = list(windows.digest_of(delivery)) or [delivery.event]
        for event in told:
            counts[event.id, delivery.channel, delivery.target] += 1
            entry = WindowEntry.objects.get(event=event, channel=delivery.channel, target=delivery.target)
            for older in replaced[entry.window_id, entry.subject] if entry.subject else ():
                counts[older.event_id, delivery.channel, delivery.target] += 1
    return counts


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_event_is_in_exactly_one_message_per_contact_and_channel(wedding: Any, seed: int) -> None:
    chance = random.Random(seed)
    people = [person(wedding), person(wedding)]
    route_to_people(wedding, channels=["email", "whatsapp"])
    events = [some_event(wedding, number, chance) for number in range(EVENTS)]
    chance.shuffle(events)

    def work(number: int) -> None:
        if number >= ROUTERS:
            until(lambda: closing.close_due() == 0 and all_routed(events), 120, what="the routing of all events")
            return
        for event in events[number::ROUTERS]:
            route_as_its_task_does(event)
            if event.type == MILESTONE:
                route_event.route_again(event.id)

    at_once(ROUTERS + CLOSERS, work)
    until(all_closed, what="the closing of all windows")

    sent = list(Delivery.objects.exclude(state="cancelled").select_related("event"))
    expected = {(event.id, channel, target) for event in events for each in people for channel, target in places(each)}
    assert messages_by_place(sent) == dict.fromkeys(expected, 1)
    assert {delivery.state_reason for delivery in sent} == {""}, "nothing waits any more"
    assert Window.objects.count() > len(people), "windows were closed and opened meanwhile"
    assert any(windows.digest_of(delivery) for delivery in sent)


def route_as_its_task_does(event: ChannelEvent) -> None:
    """Again where somebody else held the wedding's lock for too long."""
    while True:
        try:
            route_event.route(event.id)
        except OperationalError:
            continue
        return


def places(contact: Any) -> list[tuple[str, str]]:
    return [("email", contact.email), ("whatsapp", contact.phone)]


def all_routed(events: list[ChannelEvent]) -> bool:
    return not ChannelEvent.objects.filter(id__in=[event.id for event in events], routing="pending").exists()


@pytest.mark.usefixtures("long_windows")
def test_closers_that_meet_at_one_window_make_one_message(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    events = (milestone(wedding), milestone(wedding))
    window = Window.objects.get()
    end_windows()

    closed = at_once(5, lambda _: closing.close(window.id))

    assert sorted(closed) == [False] * 4 + [True]
    (digest,) = digests()
    assert windows.digest_of(digest) == events


@pytest.mark.usefixtures("long_windows")
def test_a_closer_that_dies_midway_has_decided_nothing_and_the_next_one_does(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    events = (milestone(wedding), milestone(wedding))
    window = Window.objects.get()
    end_windows()

    def die(_: int) -> bool:
        with transaction.atomic():
            closed = closing.close(window.id)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return closed

    with pytest.raises(OperationalError):
        at_once(1, die)

    assert [fate(event) for event in events] == [("held", "gathered")] * 2
    assert digests() == []
    until(lambda: closing.close_due() == 1, what="the closing by somebody else")
    assert windows.digest_of(digests()[0]) == events


@pytest.mark.usefixtures("long_windows")
def test_what_is_called_off_while_its_window_closes_is_in_the_message_or_called_off_never_both(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    events = [milestone(wedding) for _ in range(6)]
    end_windows()
    called_off = Delivery.objects.filter(event__in=events[::2])

    at_once(2, lambda number: staff_actions.cancel(called_off) if number else closing.close_due())
    until(all_closed, what="the closing of the window")

    told = {event for delivery in digests() for event in windows.digest_of(delivery)}
    fates = {event: fate(event) for event in events}
    assert {event for event, state in fates.items() if state == ("cancelled", "in_digest")} == told
    assert {state for event, state in fates.items() if event not in told} <= {("cancelled", "by_staff")}
    assert told >= set(events[1::2])


@pytest.mark.usefixtures("long_windows")
def test_an_event_that_is_routed_while_its_window_closes_opens_another(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    first = milestone(wedding)
    late = stored(wedding, MILESTONE, {"milestone": "Menu chosen", "progress": 60})
    end_windows()

    at_once(2, lambda number: route_event.route(late.id) if number else closing.close_due())

    end_windows()
    until(all_closed, what="the closing of both windows")
    assert [of(event).window_entry.outcome for event in (first, late)] == ["went_alone"] * 2
    assert Window.objects.count() == 2
