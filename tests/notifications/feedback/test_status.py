"""What became of a message: merged by rank, marked at its address, traced once, and followed by the plan."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from integrations.deliveries import state_changes
from integrations.models import Delivery, System
from integrations.routing.route_event import route
from integrations.states import State
from notifications.feedback import status
from notifications.feedback.notices import AddressMark, ProviderStatus
from notifications.models import Message, Notification, TraceEntry
from notifications.trace import statuses
from tests.factories import (
    AddressFactory,
    ContactFactory,
    DeliveryFactory,
    MessageFactory,
    RouteFactory,
    SystemFactory,
    WeddingFactory,
)
from tests.notifications.stored import stored
from wedsync.weddings.models import Address

pytestmark = pytest.mark.django_db
Status = Message.Status
NOON = datetime(2026, 6, 19, 12, tzinfo=UTC)
TIMES = {"sent": "sent_at", "failed": "failed_at", "delivered": "delivered_at", "read": "read_at"}
tellings = st.tuples(st.sampled_from(list(TIMES)), st.integers(0, 90))


def a_message(channel: str = "whatsapp", address: str = "+436601234567", **rest: Any) -> Message:
    system = SystemFactory(kind=channel)
    delivery = DeliveryFactory(organization=system.organization, system=system, channel=channel, target=address)
    made: Message = MessageFactory(
        organization=system.organization, delivery=delivery, channel=channel, address=address, **rest
    )
    return made


def tell(message: Message, **told: Any) -> bool:
    told.setdefault("provider_id", message.provider_id)
    told.setdefault("at", NOON)
    found = status.apply(message.organization_id, message.delivery.system_id, ProviderStatus(**told))
    message.refresh_from_db()
    return found


def address_of(message: Message) -> Address:
    return Address.objects.get(organization=message.organization, channel=message.channel, value=message.address)


class Merging(TestCase):  # type: ignore[misc]
    """Providers tell late, twice and out of order."""

    @how(max_examples=40, deadline=None)
    @given(told=st.lists(tellings, min_size=1, max_size=12))
    def test_any_order_and_repetition_gives_the_highest_rank_and_each_earliest_time(
        self, told: list[tuple[str, int]]
    ) -> None:
        message = a_message()
        for name, seconds in told:
            statuses.merge(Message.objects.filter(id=message.id), Status(name), NOON + timedelta(seconds=seconds))

        message.refresh_from_db()
        names = {name for name, _ in told}
        assert message.status == next(name for name in ("read", "delivered", "failed", "sent") if name in names)
        for name, field in TIMES.items():
            earliest = min((seconds for each, seconds in told if each == name), default=None)
            expected = None if earliest is None else NOON + timedelta(seconds=earliest)
            assert getattr(message, field) == expected


def test_a_message_is_found_by_our_own_id_before_the_providers_is_noted() -> None:
    message = a_message()

    assert tell(message, provider_id="wamid.1", delivery_id=message.delivery_id, status=Status.DELIVERED)

    assert (message.status, message.provider_id, message.delivered_at) == ("delivered", "wamid.1", NOON)


def test_our_own_id_counts_more_than_the_providers() -> None:
    mine, other = a_message(), a_message(provider_id="wamid.1")
    Message.objects.filter(id=other.id).update(organization=mine.organization)
    Delivery.objects.filter(id=other.delivery_id).update(system=mine.delivery.system)

    tell(mine, provider_id="wamid.1", delivery_id=mine.delivery_id, status=Status.READ)

    other.refresh_from_db()
    assert (mine.status, other.status) == ("read", "queued")


def test_no_message_of_ours_is_said_so_and_changes_nothing() -> None:
    message = a_message(provider_id="wamid.1")

    assert not tell(message, provider_id="wamid.2", status=Status.READ)
    assert not tell(message, provider_id="", status=Status.READ)
    assert not tell(message, provider_id="", delivery_id=uuid4(), status=Status.READ)

    assert message.status == "queued"


def test_another_organization_and_another_system_change_nothing() -> None:
    message, other = a_message(provider_id="wamid.1"), a_message()
    beside = SystemFactory(organization=message.organization, kind="whatsapp")
    told = ProviderStatus(
        NOON, "wamid.1", delivery_id=message.delivery_id, status=Status.FAILED, mark=AddressMark.OPTED_OUT
    )

    assert not status.apply(other.organization_id, other.delivery.system_id, told)
    assert not status.apply(other.organization_id, message.delivery.system_id, told)
    assert not status.apply(message.organization_id, beside.id, told)

    message.refresh_from_db()
    assert message.status == "queued"
    assert not Address.objects.exists()


def test_the_first_failure_is_kept_for_staff_and_cut_to_its_column() -> None:
    message = a_message(provider_id="wamid.1")

    tell(message, status=Status.FAILED, failure="WhatsApp 131000: " + "x" * 400)
    tell(message, status=Status.FAILED, failure="WhatsApp 1: later")

    assert message.failure.startswith("WhatsApp 131000: xxx")
    assert len(message.failure) == 300


def test_what_is_told_twice_is_traced_once() -> None:
    message = a_message(provider_id="wamid.1")

    for _ in range(3):
        tell(message, status=Status.FAILED, failure="WhatsApp 131026", mark=AddressMark.BOUNCED)
        tell(message, status=Status.DELIVERED)

    texts = list(TraceEntry.objects.filter(delivery=message.delivery, what="status").values_list("text", flat=True))
    assert sorted(texts) == [
        "WhatsApp: bounced: WhatsApp is no longer used for this address.",
        "WhatsApp: delivered.",
        "WhatsApp: failed (WhatsApp 131026).",
    ]


def test_a_late_word_that_a_phone_can_not_be_reached_marks_none_that_has_shown_the_message() -> None:
    message = a_message(provider_id="wamid.1")

    tell(message, status=Status.READ)
    tell(message, status=Status.FAILED, failure="WhatsApp 131026", mark=AddressMark.BOUNCED)

    message.refresh_from_db()
    assert (message.status, message.bounced_at) == ("read", None)
    assert not Address.objects.filter(bounced_at__isnull=False).exists()


def test_a_bounce_marks_message_and_address_with_the_first_reason() -> None:
    message = a_message("email", "anna@people.example", provider_id="mail-1")

    tell(message, status=Status.FAILED, failure="bounced: no such box", mark=AddressMark.BOUNCED)
    tell(message, status=Status.FAILED, failure="again", mark=AddressMark.BOUNCED, at=NOON + timedelta(hours=1))

    address = address_of(message)
    assert (message.status, message.bounced_at) == ("failed", NOON)
    assert (address.bounced_at, address.bounce_reason) == (NOON, "bounced: no such box")
    assert address.blocked_because == "bounced"


def test_a_complaint_marks_and_moves_no_status() -> None:
    message = a_message("email", "anna@people.example", provider_id="mail-1")
    tell(message, status=Status.DELIVERED)

    tell(message, mark=AddressMark.COMPLAINED, at=NOON + timedelta(hours=2))
    tell(message, mark=AddressMark.COMPLAINED, at=NOON + timedelta(hours=1))

    assert (message.status, message.complained_at) == ("delivered", NOON + timedelta(hours=1))
    assert address_of(message).complained_at == NOON + timedelta(hours=1)


def test_an_opt_out_and_a_closed_window_are_the_addresses_own() -> None:
    message = a_message(provider_id="wamid.1")
    AddressFactory(organization=message.organization, value=message.address)

    tell(message, status=Status.FAILED, mark=AddressMark.WINDOW_CLOSED)
    assert (address_of(message).window_closed_at, address_of(message).blocked_because) == (NOON, "")
    tell(message, status=Status.FAILED, mark=AddressMark.OPTED_OUT)

    assert (address_of(message).opted_out_at, address_of(message).blocked_because) == (NOON, "opted_out")


def test_a_failure_after_it_was_taken_starts_the_next_channel_once() -> None:
    wedding = WeddingFactory()
    organization = wedding.organization
    for kind in (System.Kind.WHATSAPP, System.Kind.EMAIL):
        SystemFactory(organization=organization, kind=kind)
    anna = ContactFactory(organization=organization, wedding=wedding, role="couple")
    AddressFactory(organization=organization, value=anna.phone)
    RouteFactory(organization=organization, channel_pattern="couple:dashboard:{id}", target="people", roles=["couple"])
    event = stored(wedding, "payment.failed", {"amount": 100, "currency": "EUR", "reference": "R1"})
    route(event.id)
    delivery = Delivery.objects.get(event=event, channel="whatsapp")
    row = Delivery.objects.filter(id=delivery.id)
    state_changes.change(row, State.IN_FLIGHT, lease_token=delivery.id, lease_until=timezone.now())
    state_changes.change(row, State.SUCCEEDED)
    message = MessageFactory(
        organization=organization,
        delivery=delivery,
        channel="whatsapp",
        address=anna.phone,
        provider_id="wamid.1",
        status="sent",
    )

    for _ in range(2):
        assert tell(message, status=Status.FAILED, failure="WhatsApp 131026", mark=AddressMark.BOUNCED)

    mail = Delivery.objects.get(event=event, channel="email")
    assert (mail.state, mail.contact, mail.target) == (State.PENDING, anna, anna.email)
    assert TraceEntry.objects.filter(event=event, what="fell_back").count() == 1
    assert Notification.objects.get(event=event).state == "open"
