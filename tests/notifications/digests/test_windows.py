"""What is gathered, for how long, and what is sent in the end."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from integrations.deliveries import staff_actions
from integrations.models import Delivery, System
from integrations.routing import route_event
from notifications import follow_up
from notifications.consent import wishes
from notifications.digests import closing, windows
from notifications.models import Notification, TraceEntry, Window, WindowEntry
from notifications.trace import answers
from tests.factories import SystemFactory, WeddingFactory
from tests.notifications.digests.windowing import (
    MILESTONE,
    carrier,
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
from wedsync.weddings.models import ContactChannel, Wedding

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _windows_of_the_product(settings: Settings) -> None:
    settings.DIGEST_SECONDS, settings.COLLAPSE_SECONDS = 900.0, 20.0


@pytest.fixture
def wedding() -> Any:
    return WeddingFactory(date=date(2030, 6, 19))


def moved(wedding: Wedding, before: str, after: str) -> ChannelEvent:
    """A change of the time, made normal: of itself it is high."""
    event = stored(
        wedding, "timeline.updated", {"changes": [{"field": "ceremony_time", "before": before, "after": after}]}
    )
    ChannelEvent.objects.filter(id=event.id).update(priority="normal")
    route_event.route(event.id)
    return event


def test_low_news_go_as_one_message_with_all_of_them_in_their_order(wedding: Any) -> None:
    anna = person(wedding)
    route_to_people(wedding)
    events = [milestone(wedding, name) for name in ("Venue booked", "Menu chosen", "Band booked", "Dress")]
    assert [fate(event) for event in events] == [("held", "gathered")] * 4
    assert closing.close_due() == 0, "its time has not come"

    assert let_time_pass() == 1

    (digest,) = digests()
    assert windows.digest_of(digest) == tuple(events)
    assert (digest.state, digest.priority, digest.target, digest.contact) == ("pending", "low", anna.email, anna)
    assert (digest.event, [reason.route_name for reason in digest.reasons.all()]) == (events[-1], ["To the couple"])
    assert [fate(event) for event in events] == [("cancelled", "in_digest")] * 4
    assert {carrier(event) for event in events} == {digest}
    notes = TraceEntry.objects.filter(what="gathered", text__startswith="In one").order_by("event_id")
    assert [note.text for note in notes] == [f"In one message with 3 others: {digest.id}."] * 4


def test_a_digest_is_each_recipients_own_and_each_channels(wedding: Any) -> None:
    people = [person(wedding), person(wedding)]
    route_to_people(wedding, channels=["email", "whatsapp"])
    milestone(wedding), milestone(wedding)

    let_time_pass()

    reached = {(digest.channel, digest.target, len(windows.digest_of(digest))) for digest in digests()}
    assert reached == {
        (channel, target, 2) for each in people for channel, target in (("email", each.email), ("whatsapp", each.phone))
    }


def test_a_teams_slack_channel_gets_digests_too_and_a_system_gets_none(wedding: Any) -> None:
    team = SystemFactory(organization=wedding.organization, kind=System.Kind.SLACK)
    route_to_people(wedding, system=team, channels=["slack"], roles=[])
    events = [milestone(wedding), milestone(wedding)]

    let_time_pass()

    (digest,) = digests()
    assert (digest.channel, digest.target, digest.contact_id) == ("slack", str(team.id), None)
    assert windows.digest_of(digest) == tuple(events)
    assert windows.place_of(events[0], Delivery(channel="system", priority="low", target="x")) is None


def test_what_comes_alone_goes_as_itself(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    event = milestone(wedding)

    let_time_pass()

    delivery = of(event)
    assert (delivery.state, delivery.state_reason, digests()) == ("held", "", [])
    assert delivery.next_attempt_at <= timezone.now()
    assert windows.digest_of(delivery) == ()
    assert (delivery.window_entry.outcome, delivery.window_entry.window.delivery) == ("went_alone", delivery)


def test_three_changes_of_one_time_give_one_message_from_the_first_to_the_last(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    first, last = moved(wedding, "15:00", "16:00"), moved(wedding, "16:00", "16:30")

    assert let_time_pass() == 1

    assert (fate(first), fate(last)) == (("cancelled", "superseded"), ("held", ""))
    assert windows.merged_payload(of(last)) == {
        "changes": [{"field": "ceremony_time", "before": "15:00", "after": "16:30"}]
    }
    assert windows.merged_payload(of(first)) is None
    assert carrier(first) == of(last)


def test_the_whole_way_is_told_also_on_another_channel_and_when_it_is_sent_again(wedding: Any) -> None:
    anna = person(wedding)
    route_to_people(wedding)
    guests(wedding, 120, 110)
    last = guests(wedding, 130, 120)
    let_time_pass()
    delivery = of(last)
    next_step = Delivery.objects.get(id=delivery.id)
    next_step.id, next_step.channel, next_step.target, next_step.plan_step = None, "whatsapp", anna.phone, 1
    next_step.dedupe_key = Delivery.key(last.id, "people", anna.phone, "whatsapp", plan_step=1)
    Delivery.objects.filter(id=delivery.id).update(state="succeeded")

    again = staff_actions.resend(of(last))

    for each in (delivery, next_step, again):
        assert windows.merged_payload(each) == {"guest_count": 130, "previous": 110, "before": 110}


def test_what_is_changed_back_in_time_is_told_to_nobody(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    there, back = moved(wedding, "15:00", "16:00"), moved(wedding, "16:00", "15:00")

    let_time_pass()

    assert (fate(there), fate(back)) == (("cancelled", "superseded"), ("cancelled", "taken_back"))
    assert Window.objects.get().delivery is None
    assert {entry.outcome for entry in WindowEntry.objects.all()} == {"taken_back"}


@pytest.mark.parametrize(
    ("event_type", "payloads"),
    [
        ("venue.capacity_updated", [{"capacity": 180, "previous": 150}, {"capacity": 190, "previous": 180}]),
        ("venue.emergency_reported", [{"kind": "fire", "description": "Smoke", "reported_by": "Tom"}]),
    ],
)
def test_nothing_high_or_urgent_ever_waits(wedding: Any, event_type: str, payloads: list[dict[str, Any]]) -> None:
    person(wedding)
    route_to_people(wedding)

    events = [routed(wedding, event_type, payload) for payload in payloads]

    assert [fate(event) for event in events] == [("pending", "")] * len(payloads)
    assert not Window.objects.exists()


def test_bookings_of_two_numbers_do_not_replace_each_other(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    events = [routed(wedding, "booking.updated", {"booking_id": name, "status": "open"}) for name in ("B1", "B2")]

    assert let_time_pass() == 2

    assert [fate(event) for event in events] == [("held", "")] * 2


def test_news_that_set_no_state_and_are_normal_go_at_once(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    event = routed(wedding, "payment.received", {"amount": "120.50", "currency": "EUR", "reference": "R-7"})

    assert fate(event) == ("pending", "")


def test_zero_turns_either_window_off(wedding: Any, settings: Settings) -> None:
    person(wedding)
    route_to_people(wedding)
    settings.DIGEST_SECONDS = settings.COLLAPSE_SECONDS = 0.0

    assert [fate(milestone(wedding)), fate(guests(wedding, 120, 110))] == [("pending", "")] * 2
    settings.DIGEST_SECONDS = 900.0
    assert [fate(milestone(wedding)), fate(guests(wedding, 130, 120))] == [("held", "gathered"), ("pending", "")]
    settings.DIGEST_SECONDS, settings.COLLAPSE_SECONDS = 0.0, 20.0
    assert [fate(milestone(wedding)), fate(guests(wedding, 140, 130))] == [("pending", ""), ("held", "gathered")]


def test_within_a_digest_the_changes_of_one_thing_are_one_item(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    first = routed(wedding, "client.updated", {"client_id": "C1", "phone": "+1"})
    other = milestone(wedding)
    last = routed(wedding, "client.updated", {"client_id": "C1", "name": "Anna"})

    let_time_pass()

    (digest,) = digests()
    told = windows.digest_of(digest)
    assert told == (other, last)
    assert told[1].payload == {"client_id": "C1", "phone": "+1", "name": "Anna"}
    assert (fate(first), fate(last)) == (("cancelled", "superseded"), ("cancelled", "in_digest"))
    assert carrier(first) == digest


def test_a_digest_that_is_sent_again_tells_of_the_same(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    events = (milestone(wedding), milestone(wedding))
    let_time_pass()
    (digest,) = digests()
    Delivery.objects.filter(id=digest.id).update(state="dead")

    again = staff_actions.resend(Delivery.objects.get(id=digest.id))

    assert (again.generation, windows.digest_of(again)) == (1, events)


def test_what_staff_call_off_is_left_out(wedding: Any) -> None:
    person(wedding)
    route_to_people(wedding)
    events = [milestone(wedding) for _ in range(3)]
    staff_actions.cancel(Delivery.objects.filter(event=events[1]))

    let_time_pass()

    (digest,) = digests()
    assert windows.digest_of(digest) == (events[0], events[2])
    assert (fate(events[1]), of(events[1]).window_entry.outcome) == (("cancelled", "by_staff"), "left")


def test_what_somebody_does_not_want_any_more_is_left_out(wedding: Any) -> None:
    anna = person(wedding)
    route_to_people(wedding)
    gallery = routed(wedding, "gallery.ready", {"gallery_url": "https://studio.example/g/1"})
    events = (milestone(wedding), milestone(wedding))
    wishes.change(anna, "gallery", ContactChannel.EMAIL, wanted=False, source="a mail's link")

    let_time_pass()

    (digest,) = digests()
    assert windows.digest_of(digest) == events
    assert fate(gallery) == ("skipped", "not_wanted")


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


def test_a_digest_that_can_not_arrive_goes_whole_by_the_next_channel_and_everyone_can_read_so(wedding: Any) -> None:
    anna = person(wedding, preferred_channels=["email", "whatsapp"])
    route_to_people(wedding, channels=[])
    events = [routed(wedding, "gallery.ready", {"gallery_url": f"https://photos.example/{n}"}) for n in range(3)]
    let_time_pass()
    (digest,) = digests()
    assert digest.channel == "email"
    assert {each.state for each in Notification.objects.all()} == {"left"}

    Delivery.objects.filter(id=digest.id).update(state="dead", state_reason="refused", finished_at=timezone.now())
    follow_up.judge_due()
    follow_up.judge_due()

    _, second = sorted(digests(), key=lambda row: row.id)
    assert (second.channel, second.target) == ("whatsapp", anna.phone)
    assert windows.digest_of(second) == tuple(events)
    said = {answers.answer(each).text for each in answers.with_what_came(Notification.objects.all())}
    assert said == {"Not yet: it waits for WhatsApp, together with other news."}


def test_a_digest_that_has_no_way_left_is_asked_about_again_and_again_without_a_further_trace(wedding: Any) -> None:
    person(wedding, phone="")
    route_to_people(wedding)
    for number in range(2):
        routed(wedding, "gallery.ready", {"gallery_url": f"https://photos.example/{number}"})
    let_time_pass()
    Delivery.objects.filter(id=digests()[0].id).update(state="dead", finished_at=timezone.now())
    before = TraceEntry.objects.count()

    for _ in range(3):
        follow_up.judge_due()

    assert (len(digests()), TraceEntry.objects.count()) == (1, before)
