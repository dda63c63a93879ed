"""What is gathered into a digest, for whom, and what it says in the end."""

from typing import Any

import pytest
from django.utils import timezone

from integrations.deliveries import staff_actions
from integrations.models import Delivery, System
from notifications import follow_up
from notifications.consent import wishes
from notifications.digests import closing, windows
from notifications.models import Notification, TraceEntry, Window
from notifications.trace import answers
from tests.factories import SystemFactory
from tests.notifications.digests.windowing import (
    carrier,
    digests,
    fate,
    let_time_pass,
    milestone,
    of,
    person,
    route_to_people,
    routed,
)
from wedsync.weddings.models import ContactChannel

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("windows_of_the_product")]


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
    assert said == {"Not yet: it waits for WhatsApp, together with other updates."}


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
