"""Who is meant by a route, and by which ways they are told."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.deliveries import claims, ordering
from integrations.models import Delivery, System
from integrations.routing.route_event import route
from integrations.sending import claimed_delivery
from integrations.states import Reason, State
from notifications.consent import wishes
from notifications.incidents import escalation
from notifications.models import Incident, Notification, TraceEntry
from notifications.recipients import send_checks
from tests.factories import AddressFactory, ContactFactory, RouteFactory, SystemFactory, WeddingFactory
from tests.notifications.stored import stored
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address, Contact, Wedding

pytestmark = pytest.mark.django_db


@pytest.fixture
def wedding() -> Wedding:
    made: Wedding = WeddingFactory()
    for kind in (System.Kind.WHATSAPP, System.Kind.EMAIL):
        SystemFactory(organization=made.organization, kind=kind)
    return made


def person(wedding: Wedding, role: str = "couple", **rest: Any) -> Contact:
    made: Contact = ContactFactory(organization=wedding.organization, wedding=wedding, role=role, **rest)
    if made.phone:
        Address.objects.get_or_create(
            organization=wedding.organization,
            channel="whatsapp",
            value=made.phone,
            defaults={"consented_at": "2026-01-01T00:00Z", "consent_source": "contact sheet"},
        )
    return made


def people_route(wedding: Wedding, **rest: Any) -> Any:
    rest.setdefault("roles", ["couple"])
    return RouteFactory(
        organization=wedding.organization, channel_pattern="couple:dashboard:{id}", target="people", **rest
    )


def routed(wedding: Wedding, event_type: str = "gallery.ready", payload: Any = None, **rest: Any) -> ChannelEvent:
    event = stored(wedding, event_type, payload or {"gallery_url": "https://photos.example/1"}, **rest)
    route(event.id)
    return event


def told(event: ChannelEvent) -> list[tuple[str, str, str]]:
    rows = Delivery.objects.filter(event=event).order_by("channel", "target")
    return [(row.channel, row.state, row.state_reason) for row in rows]


def test_one_person_who_stands_there_twice_is_told_once_and_by_what_the_first_prefers(wedding: Wedding) -> None:
    first = person(wedding, "coordinator", call_order=1, preferred_channels=["email"], phone="+12025550191")
    person(wedding, "couple", preferred_channels=["whatsapp"], phone="+12025550191", email="other@people.example")
    people_route(wedding, roles=["couple"], name="one")
    people_route(wedding, roles=["coordinator"], name="two")

    event = routed(wedding)

    assert told(event) == [("email", "pending", "")]
    notification = Notification.objects.get(event=event)
    assert notification.recipient == f"contact:{first.id}"
    assert "“one”, “two”" in TraceEntry.objects.get(event=event, what="routed").text


def test_everyone_is_everyone_of_the_wedding_and_nobody_of_another(wedding: Wedding) -> None:
    for role in Contact.Role.values:
        person(wedding, role)
    person(WeddingFactory(organization=wedding.organization))
    people_route(wedding, roles=[], everyone=True, channels=["email"])

    assert len(told(routed(wedding))) == len(Contact.Role.values)


def test_who_has_no_address_and_who_does_not_want_it_is_kept_with_the_reason(wedding: Wedding) -> None:
    person(wedding, phone="")
    unwilling = person(wedding)
    wishes.change(unwilling, "gallery", "whatsapp", wanted=False, source="test")
    people_route(wedding, channels=["whatsapp"])

    event = routed(wedding)

    rows = Delivery.objects.filter(event=event, channel="whatsapp")
    assert {(row.state, row.state_reason) for row in rows} == {("skipped", "no_address"), ("skipped", "not_wanted")}
    assert TraceEntry.objects.filter(event=event, what="not_sent").count() == 2


def test_what_is_not_wanted_by_one_channel_goes_by_the_next(wedding: Wedding) -> None:
    someone = person(wedding)
    wishes.change(someone, "gallery", "whatsapp", wanted=False, source="test")
    people_route(wedding)

    assert told(routed(wedding)) == [("email", "pending", "")]


def test_urgent_news_pass_preferences_and_quiet_hours_but_no_opt_out(wedding: Wedding) -> None:
    someone = person(wedding, quiet_from="00:00", quiet_until="23:59:59")
    opted_out = person(wedding)
    Address.objects.filter(value=opted_out.phone).update(opted_out_at="2026-01-01T00:00Z")
    for channel in ("whatsapp", "email"):
        wishes.change(someone, "emergencies", channel, wanted=False, source="test")
    people_route(wedding, channels=["whatsapp"])
    payload = {"kind": "power_outage", "description": "dark", "reported_by": "Tom"}

    event = routed(wedding, "venue.emergency_reported", payload, priority="urgent")

    rows = {row.contact_id: row for row in Delivery.objects.filter(event=event, channel="whatsapp")}
    assert rows[someone.id].state == State.PENDING
    assert (rows[opted_out.id].state, rows[opted_out.id].state_reason) == ("skipped", "opted_out")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"opted_out_at": "2026-01-01T00:00Z"}, Reason.OPTED_OUT),
        ({"bounced_at": "2026-01-01T00:00Z"}, Reason.BOUNCED),
        ({"complained_at": "2026-01-01T00:00Z"}, Reason.COMPLAINED),
        ({"consented_at": None}, Reason.NO_CONSENT),
    ],
)
def test_what_stands_against_an_address_counts_when_it_is_sent(
    wedding: Wedding, change: dict[str, Any], reason: Reason
) -> None:
    someone = person(wedding)
    people_route(wedding, channels=["whatsapp"])
    delivery = Delivery.objects.get(event=routed(wedding))
    assert send_checks.blocked(delivery) is None

    Address.objects.filter(value=someone.phone).update(**change)

    found = send_checks.blocked(delivery)
    assert found
    assert (found.reason, found.until) == (reason, None)


def test_an_opt_out_in_one_organization_says_nothing_in_another(wedding: Wedding) -> None:
    someone = person(wedding)
    AddressFactory(value=someone.phone, opted_out_at="2026-01-01T00:00Z")
    people_route(wedding, channels=["whatsapp"])

    assert told(routed(wedding)) == [("whatsapp", "pending", "")]


def test_who_has_moved_or_is_gone_gets_nothing_at_the_old_address(wedding: Wedding) -> None:
    moved, gone = person(wedding), person(wedding)
    people_route(wedding, channels=["whatsapp"])
    event = routed(wedding)
    Contact.objects.filter(id=moved.id).update(phone="+12025550198")
    gone_delivery = Delivery.objects.get(event=event, contact=gone)
    gone.delete()

    moved_delivery = Delivery.objects.get(event=event, contact=moved)
    gone_delivery.refresh_from_db()
    blocked = [send_checks.blocked(each) for each in (moved_delivery, gone_delivery)]
    assert [each.reason if each else None for each in blocked] == [Reason.NO_ADDRESS, Reason.NO_RECIPIENT]


def test_what_waits_for_quiet_hours_goes_one_by_one_in_order(wedding: Wedding) -> None:
    person(wedding, quiet_from="00:00", quiet_until="23:59:59")
    people_route(wedding, channels=["whatsapp"])
    events = [
        routed(wedding, "booking.cancelled", {"booking_id": f"B{number}", "status": "cancelled"}) for number in range(3)
    ]

    rows = [Delivery.objects.get(event=event) for event in events]

    assert {(row.state, row.state_reason) for row in rows} == {("held", "quiet_hours")}
    assert len({row.order_key for row in rows}) == 1
    assert all(row.order_key for row in rows)
    assert not set(rows[0].sets) & set(rows[1].sets)


@pytest.mark.parametrize("channel", ["whatsapp", "email"])
def test_what_meets_quiet_hours_when_it_is_sent_goes_one_by_one_in_order_too(wedding: Wedding, channel: str) -> None:
    someone = person(wedding)
    people_route(wedding, channels=[channel])
    cancelled = [{"booking_id": f"B{number}", "status": "cancelled"} for number in range(3)]
    before = [Delivery.objects.get(event=routed(wedding, "booking.cancelled", said)) for said in cancelled[:2]]
    assert {(row.state, row.order_key) for row in before} == {("pending", "")}
    Contact.objects.filter(id=someone.id).update(quiet_from="00:00", quiet_until="23:59:59")
    rows = [*before, Delivery.objects.get(event=routed(wedding, "booking.cancelled", cancelled[2]))]

    for row in reversed(before):
        tried(row)

    assert [standing_of(row) for row in rows] == [("held", "quiet_hours")] * 3
    assert len({row.order_key for row in rows}) == 1
    assert len({tuple(row.sets) for row in rows}) == 3
    assert {row.attempt_count for row in rows} == {0}

    Contact.objects.update(quiet_from=None, quiet_until=None)
    for row in reversed(rows[1:]):
        tried(row)
    assert [standing_of(row) for row in rows[1:]] == [("held", "waits_its_turn")] * 2
    Delivery.objects.filter(id=rows[0].id).update(next_attempt_at=timezone.now() - timedelta(minutes=1))
    lease = claims.claim(rows[0].id)
    assert lease
    assert ordering.take_turn(lease), "the oldest goes first"


def tried(row: Delivery) -> None:
    Delivery.objects.filter(id=row.id).update(next_attempt_at=timezone.now() - timedelta(minutes=1))
    lease = claims.claim(row.id)
    assert lease
    assert claimed_delivery.work(lease).result is None


def standing_of(row: Delivery) -> tuple[str, str]:
    row.refresh_from_db()
    return row.state, row.state_reason


@pytest.mark.parametrize("shared", ["email", "phone"])
def test_two_who_share_an_address_are_one_person_with_one_email_and_every_phone(wedding: Wedding, shared: str) -> None:
    same = {"email": "both@people.example"} if shared == "email" else {"phone": "+12025550191"}
    anna = person(wedding, "couple", call_order=1, **same)
    ben = person(wedding, "couple", **same)
    people_route(wedding, roles=["couple"], channels=["whatsapp", "email"])
    payload = {"kind": "fire", "description": "Smoke", "reported_by": "Tom"}

    event = routed(wedding, "venue.emergency_reported", payload, priority="urgent")

    rows = Delivery.objects.filter(event=event, state="pending")
    assert sorted(rows.filter(channel="whatsapp").values_list("target", flat=True)) == sorted({anna.phone, ben.phone})
    assert rows.filter(channel="email").get().target == anna.email
    assert Notification.objects.get(event=event).recipient == f"contact:{anna.id}"


def test_ordinary_news_ring_every_phone_of_who_prefers_whatsapp(wedding: Wedding) -> None:
    pair = [person(wedding, "couple", email="both@people.example", preferred_channels=["whatsapp"]) for _ in range(2)]
    people_route(wedding, roles=["couple"])

    event = routed(wedding)

    rows = Delivery.objects.filter(event=event, state="pending")
    assert set(rows.values_list("channel", "target")) == {("whatsapp", each.phone) for each in pair}


@pytest.mark.parametrize(
    ("roles", "orders", "asked"),
    [
        (("couple", "vendor"), (1, None), {0, 1}),  # one person by their mailbox: both phones belong to who is called
        (("couple", "coordinator"), (None, None), {0, 1}),
        (("coordinator", "couple"), (None, 2), {0, 1}),
        (("couple", "vendor"), (None, None), set()),
    ],
)
def test_the_first_alarm_asks_whom_the_escalation_calls(
    wedding: Wedding, roles: tuple[str, str], orders: tuple[int | None, int | None], asked: set[int]
) -> None:
    people = [
        person(wedding, role, call_order=order, email="both@people.example")
        for role, order in zip(roles, orders, strict=True)
    ]
    person(wedding, "vendor")
    people_route(wedding, roles=[], everyone=True, channels=["whatsapp"])
    event = routed(wedding, "venue.emergency_reported", {"kind": "fire", "description": "x", "reported_by": "Tom"})
    incident = Incident.objects.get(event=event)

    rows = Delivery.objects.filter(event=event, state="pending")

    assert {row.contact_id for row in rows if escalation.asks(row, incident)} == {people[each].id for each in asked}
    called = {each.id for one in escalation.in_call_order(incident) for each in one.contacts}
    assert called == {people[each].id for each in asked}
