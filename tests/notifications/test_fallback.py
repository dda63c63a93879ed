"""From channel to channel: a plan's next step begins when the one before cannot get there, or is late."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.deliveries import state_changes
from integrations.models import Alert, Delivery, System
from integrations.routing.route_event import route
from integrations.states import Reason, State
from notifications import fallback, follow_up
from notifications.models import Message, Notification, Plan, Sending, TraceEntry
from notifications.routing import PeopleFollower
from notifications.trace import statuses
from tests.factories import ContactFactory, RouteFactory, SystemFactory, WeddingFactory
from tests.notifications.stored import stored
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import Address, Contact, Wedding

pytestmark = pytest.mark.django_db
Status, States = Message.Status, Notification.State
OUTAGE = {"kind": "power_outage", "description": "dark", "reported_by": "Tom"}


@pytest.fixture
def wedding() -> Wedding:
    made: Wedding = WeddingFactory()
    for kind in (System.Kind.WHATSAPP, System.Kind.EMAIL):
        SystemFactory(organization=made.organization, kind=kind)
    return made


@pytest.fixture
def anna(wedding: Wedding) -> Contact:
    made: Contact = ContactFactory(organization=wedding.organization, wedding=wedding, role="couple")
    Address.objects.create(
        organization=wedding.organization, channel="whatsapp", value=made.phone, consented_at=timezone.now()
    )
    return made


def to_people(wedding: Wedding, **rest: Any) -> None:
    rest.setdefault("roles", ["couple"])
    organization = wedding.organization
    RouteFactory(organization=organization, channel_pattern="couple:dashboard:{id}", target="people", **rest)


def emergency(wedding: Wedding) -> ChannelEvent:
    event = stored(wedding, "venue.emergency_reported", OUTAGE)
    route(event.id)
    return event


def payment(wedding: Wedding) -> ChannelEvent:
    failed = {"amount": 100, "currency": "EUR", "reference": "R1"}
    event = stored(wedding, "payment.failed", failed)
    route(event.id)
    return event


def on(event: ChannelEvent, channel: str) -> Delivery:
    return Delivery.objects.get(event=event, channel=channel)


def end(delivery: Delivery, state: State, reason: Reason = Reason.NONE) -> None:
    """As the engine does it, and then tells those who follow."""
    assert state_changes.change(
        Delivery.objects.filter(id=delivery.id), State.IN_FLIGHT, lease_token=delivery.id, lease_until=timezone.now()
    )
    assert state_changes.change(Delivery.objects.filter(id=delivery.id), state, reason)
    PeopleFollower().troubled(delivery)


def taken(delivery: Delivery, told: Message.Status = Status.SENT) -> Message:
    state_changes.change(
        Delivery.objects.filter(id=delivery.id), State.IN_FLIGHT, lease_token=delivery.id, lease_until=timezone.now()
    )
    state_changes.change(Delivery.objects.filter(id=delivery.id), State.SUCCEEDED)
    message = Message.objects.create(
        organization=delivery.organization, delivery=delivery, channel=delivery.channel, address=delivery.target
    )
    statuses.merge(Message.objects.filter(id=message.id), told, timezone.now())
    follow_up.after_delivery(delivery)
    return message


def state_of(event: ChannelEvent) -> str:
    return Notification.objects.get(event=event).state


def test_a_refused_whatsapp_is_followed_by_a_mail_once(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding)
    event = payment(wedding)

    end(on(event, "whatsapp"), State.DEAD, Reason.REFUSED)
    follow_up.after_delivery(on(event, "whatsapp"))

    mail = on(event, "email")
    assert (mail.state, mail.plan_step, mail.contact) == (State.PENDING, 1, anna)
    assert TraceEntry.objects.filter(event=event, what="fell_back").count() == 1
    taken(mail, Status.DELIVERED)
    assert state_of(event) == States.REACHED


def test_a_message_that_bounces_after_it_was_taken_is_followed_too(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding)
    event = payment(wedding)
    message = taken(on(event, "whatsapp"))
    assert state_of(event) == States.OPEN

    statuses.merge(Message.objects.filter(id=message.id), Status.FAILED, timezone.now())
    follow_up.after_delivery(message.delivery)

    assert on(event, "email").state == State.PENDING


def test_a_mail_that_was_delivered_and_bounces_afterwards_is_followed_too(wedding: Wedding, anna: Contact) -> None:
    Contact.objects.filter(id=anna.id).update(preferred_channels=["email", "whatsapp"])
    to_people(wedding)
    event = payment(wedding)
    message = taken(on(event, "email"), Status.DELIVERED)
    assert state_of(event) == States.REACHED

    Message.objects.filter(id=message.id).update(bounced_at=timezone.now())
    follow_up.after_bounce(message.delivery)

    assert on(event, "whatsapp").state == State.PENDING


def test_when_no_way_is_left_it_says_so_and_alerts_nobody_for_ordinary_news(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding)
    event = payment(wedding)

    end(on(event, "whatsapp"), State.DEAD, Reason.REFUSED)
    end(on(event, "email"), State.DEAD, Reason.REFUSED)

    assert state_of(event) == States.FAILED
    assert not Alert.objects.exists()


def test_a_plan_with_a_time_goes_on_when_nothing_was_delivered(wedding: Wedding, anna: Contact) -> None:
    steps = [{"channels": ["whatsapp"], "until": "read"}, {"channels": ["email"], "after": 600, "until": "sent"}]
    Plan.objects.create(organization=wedding.organization, category="payments", steps=steps)
    to_people(wedding)
    event = payment(wedding)
    taken(on(event, "whatsapp"), Status.DELIVERED)
    assert follow_up.judge_due() == 0

    past = timezone.now() - timedelta(seconds=601)
    Notification.objects.filter(event=event).update(step_since=past, look_at=past)

    assert follow_up.judge_due() == 1
    assert on(event, "email").state == State.PENDING


def test_a_time_that_comes_after_it_was_read_sends_nothing(wedding: Wedding, anna: Contact) -> None:
    steps = [{"channels": ["whatsapp"], "until": "read"}, {"channels": ["email"], "after": 600, "until": "sent"}]
    Plan.objects.create(organization=wedding.organization, category="payments", steps=steps)
    to_people(wedding)
    event = payment(wedding)
    taken(on(event, "whatsapp"), Status.READ)

    Notification.objects.filter(event=event).update(step_since=timezone.now() - timedelta(seconds=601))
    fallback.judge(Notification.objects.get(event=event).id)

    assert state_of(event) == States.REACHED
    assert not Delivery.objects.filter(event=event, channel="email").exists()


@pytest.mark.parametrize("reason", ["breaker_open", "rate_limited", "pair_limited", "awaits_status", "system_paused"])
def test_urgent_news_do_not_wait_for_their_channel(wedding: Wedding, anna: Contact, reason: str) -> None:
    to_people(wedding, channels=["whatsapp"])
    event = emergency(wedding)
    whatsapp = on(event, "whatsapp")

    state_changes.change(
        Delivery.objects.filter(id=whatsapp.id),
        State.HELD,
        Reason(reason),
        next_attempt_at=timezone.now() + timedelta(seconds=30),
    )
    PeopleFollower().refused(whatsapp.system_id)

    assert on(event, "whatsapp").state == State.HELD
    assert on(event, "email").state == State.PENDING


def test_ordinary_news_wait_for_their_channel(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding)
    event = payment(wedding)
    whatsapp = on(event, "whatsapp")

    state_changes.change(
        Delivery.objects.filter(id=whatsapp.id),
        State.HELD,
        Reason.BREAKER_OPEN,
        next_attempt_at=timezone.now() + timedelta(seconds=30),
    )
    PeopleFollower().refused(whatsapp.system_id)
    follow_up.after_delivery(whatsapp)

    assert not Delivery.objects.filter(event=event, channel="email").exists()


def test_a_gone_slack_channel_is_followed_by_mails_to_staff(wedding: Wedding, anna: Contact) -> None:
    from tests.factories import MembershipFactory, UserFactory

    team = SystemFactory(organization=wedding.organization, kind=System.Kind.SLACK)
    MembershipFactory(organization=wedding.organization, user=UserFactory(email="owner@people.example"), role="owner")
    to_people(wedding, roles=[], system=team)
    event = emergency(wedding)

    end(on(event, "slack"), State.DEAD, Reason.TARGET_GONE)

    mail = on(event, "email")
    assert (mail.target, mail.state) == ("owner@people.example", State.PENDING)
    assert not Alert.objects.filter(cause="nobody_reached").exists()


def test_an_emergency_that_reaches_nobody_alerts_staff_once(wedding: Wedding, anna: Contact) -> None:
    Address.objects.filter(value=anna.phone).update(opted_out_at=timezone.now())
    Contact.objects.filter(id=anna.id).update(email="")
    to_people(wedding, channels=["whatsapp"])

    event = emergency(wedding)

    alert = Alert.objects.get(cause="nobody_reached")
    assert "Nobody could be reached" in alert.text
    assert state_of(event) == States.FAILED
    assert TraceEntry.objects.filter(event=event, what="alerted").count() == 1


def test_what_nobody_followed_is_found_again_from_the_rows(wedding: Wedding, anna: Contact) -> None:
    to_people(wedding)
    event = payment(wedding)
    whatsapp = on(event, "whatsapp")
    state_changes.change(
        Delivery.objects.filter(id=whatsapp.id), State.DEAD, Reason.SYSTEM_DISABLED
    )  # and the process dies

    assert follow_up.judge_due() == 1

    assert on(event, "email").state == State.PENDING
    assert follow_up.judge_due() == 0


def test_a_repetition_carries_what_its_original_did(wedding: Wedding, anna: Contact) -> None:
    from integrations.deliveries import staff_actions

    to_people(wedding)
    event = payment(wedding)
    whatsapp = on(event, "whatsapp")
    taken(whatsapp, Status.DELIVERED)
    whatsapp.refresh_from_db()

    again = staff_actions.resend(whatsapp)

    assert Sending.objects.get(delivery=again).notification == Notification.objects.get(event=event)
