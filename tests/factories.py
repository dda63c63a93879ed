"""Rows for tests, each with an organization of its own unless one is given: ``DeliveryFactory(organization=mine)``.

Whatever hangs together is made in the same organization: a contact's wedding, a delivery's event and system, and so
on. Connections get one live secret with ``secret="..."``; systems take ``credentials={...}``.
"""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import factory
from django.contrib.auth.models import User
from django.utils import timezone
from factory.django import DjangoModelFactory

from integrations.models import (
    Attempt,
    BreakerChange,
    Connection,
    ConnectionSecret,
    Delivery,
    DeliveryReason,
    ExternalReference,
    Route,
    RouteCondition,
    System,
)
from integrations.states import Outcome
from notifications.models import Message
from webhooks.models import ProviderNotice, Receipt
from wedsync import vault
from wedsync.live.models import Channel, ChannelEntry, ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.models import Address, ApiKey, Contact, Form, Membership, Organization, Wedding


class OrganizationFactory(DjangoModelFactory[Organization]):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda number: f"Weddings of House {number}")
    slug = factory.Sequence(lambda number: f"house-{number}")


class Owned(DjangoModelFactory[Any]):
    """A row that belongs to an organization."""

    class Meta:
        abstract = True

    organization = factory.SubFactory(OrganizationFactory)


def beside(name: str) -> factory.SelfAttribute:
    """The organization of the row that a sub-factory is made for."""
    return factory.SelfAttribute(f"..{name}")


class UserFactory(DjangoModelFactory[User]):
    """A member of staff; ``password`` is in clear and by default ``"secret"``."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda number: f"staff{number}")
    is_staff = True
    password = factory.django.Password("secret")


class MembershipFactory(Owned):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    role = Membership.Role.OWNER


class ApiKeyFactory(Owned):
    """``key``: in clear; only its hash is stored."""

    class Meta:
        model = ApiKey

    class Params:
        key = factory.Sequence(lambda number: f"wsk_test_{number}")

    name = "tests"
    key_hash = factory.LazyAttribute(lambda row: ApiKey.hash_of(row.key))


class WeddingFactory(Owned):
    class Meta:
        model = Wedding

    couple = factory.Sequence(lambda number: f"Anna & Ben {number}")
    date = factory.LazyFunction(lambda: date(2027, 6, 19))
    timezone = "Europe/Vienna"
    venue_name = "Seehof"
    ceremony_time = time(15)
    reception_time = time(18)
    reception_end = time(23, 30)
    guest_count = 110
    capacity = 150


class FormFactory(Owned):
    class Meta:
        model = Form

    wedding = factory.SubFactory(WeddingFactory, organization=beside("organization"))
    title = factory.Sequence(lambda number: f"Change of plans {number}")
    wedding_fields = factory.LazyFunction(lambda: {"new_date": "date"})


class ContactFactory(Owned):
    class Meta:
        model = Contact

    wedding = factory.SubFactory(WeddingFactory, organization=beside("organization"))
    name = factory.Sequence(lambda number: f"Clara Moser {number}")
    role = Contact.Role.COORDINATOR
    phone = factory.Sequence(lambda number: f"+1202555{100 + number % 100:04d}")
    email = factory.Sequence(lambda number: f"clara{number}@people.example")
    timezone = "Europe/Vienna"


class AddressFactory(Owned):
    class Meta:
        model = Address

    channel = "whatsapp"
    value = factory.Sequence(lambda number: f"+1202555{100 + number % 100:04d}")
    consented_at = factory.LazyFunction(timezone.now)
    consent_source = "signed the contact sheet"


class SystemFactory(Owned):
    """``credentials``: in clear, stored encrypted."""

    class Meta:
        model = System

    class Params:
        credentials: dict[str, str] = {}

    name = factory.Sequence(lambda number: f"VenueMaster {number}")
    kind = System.Kind.VENUE_MASTER
    base_url = "https://venue.example"
    sealed_credentials = factory.LazyAttribute(lambda row: vault.seal(dict(row.credentials)))


class ConnectionFactory(Owned):
    """``secret``: makes one live signing secret."""

    class Meta:
        model = Connection
        skip_postgeneration_save = True

    system = factory.SubFactory(SystemFactory, organization=beside("organization"))

    @factory.post_generation
    def secret(self, create: bool, extracted: str | None, **_: Any) -> None:
        if create and extracted:
            ConnectionSecret.objects.create(connection=self, sealed=vault.encrypt(extracted))


class ConnectionSecretFactory(DjangoModelFactory[ConnectionSecret]):
    """``text``: in clear."""

    class Meta:
        model = ConnectionSecret

    class Params:
        text = "a signing secret"

    connection = factory.SubFactory(ConnectionFactory)
    sealed = factory.LazyAttribute(lambda row: vault.encrypt(row.text))


class ExternalReferenceFactory(Owned):
    class Meta:
        model = ExternalReference

    system = factory.SubFactory(SystemFactory, organization=beside("organization"))
    wedding = factory.SubFactory(WeddingFactory, organization=beside("organization"))
    external_id = factory.Sequence(lambda number: f"BK-{number}")


class RouteFactory(Owned):
    """To a system; for others give ``target`` and ``system=None``."""

    class Meta:
        model = Route

    name = factory.Sequence(lambda number: f"To the venue {number}")
    channel_pattern = "supplier:dashboard:{supplierId}"
    target = Route.Target.SYSTEM
    system = factory.SubFactory(SystemFactory, organization=beside("organization"))


class ConditionFactory(DjangoModelFactory[RouteCondition]):
    class Meta:
        model = RouteCondition

    route = factory.SubFactory(RouteFactory)
    path = "guest_count"
    operator = "greater"
    value = 100


class EventFactory(Owned):
    """Already routed, so that no sweep takes it up; for one that waits give ``routing="pending"``."""

    class Meta:
        model = ChannelEvent

    wedding = factory.SubFactory(WeddingFactory, organization=beside("organization"))
    type = "venue.capacity_updated"
    payload = factory.LazyFunction(lambda: {"capacity": 180, "previous": 150})
    occurred_at = factory.LazyFunction(timezone.now)
    source = ChannelEvent.Source.WEBHOOK
    priority = Priority.HIGH
    routing = ChannelEvent.Routing.ROUTED
    effect = ChannelEvent.Effect.APPLIED


class ChannelFactory(Owned):
    class Meta:
        model = Channel

    name = factory.Sequence(lambda number: f"supplier:dashboard:{number}")
    last_sequence = 1


class EntryFactory(DjangoModelFactory[ChannelEntry]):
    class Meta:
        model = ChannelEntry

    class Params:
        organization = factory.SubFactory(OrganizationFactory)

    channel = factory.SubFactory(ChannelFactory, organization=beside("organization"))
    event = factory.SubFactory(EventFactory, organization=beside("organization"))
    sequence = 1


class DeliveryFactory(Owned):
    """Pending and due now."""

    class Meta:
        model = Delivery

    event = factory.SubFactory(EventFactory, organization=beside("organization"))
    system = factory.SubFactory(SystemFactory, organization=beside("organization"))
    channel = "system"
    target = factory.LazyAttribute(lambda row: str(row.system.id))
    dedupe_key = factory.LazyAttribute(
        lambda row: Delivery.key(row.event.id, "system", row.target, row.channel, generation=row.generation)
    )
    generation = 0
    priority = Priority.HIGH
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))


class ReasonFactory(DjangoModelFactory[DeliveryReason]):
    class Meta:
        model = DeliveryReason

    delivery = factory.SubFactory(DeliveryFactory)
    route = factory.LazyAttribute(lambda row: RouteFactory(organization=row.delivery.organization))
    route_name = factory.LazyAttribute(lambda row: row.route.name if row.route else "a route of then")


class AttemptFactory(DjangoModelFactory[Attempt]):
    class Meta:
        model = Attempt

    delivery = factory.SubFactory(DeliveryFactory)
    number = factory.Sequence(lambda number: number + 1)
    started_at = factory.LazyFunction(timezone.now)
    milliseconds = 42
    outcome = Outcome.SUCCEEDED
    status_code = 200


class MessageFactory(Owned):
    class Meta:
        model = Message

    delivery = factory.SubFactory(
        DeliveryFactory, organization=beside("organization"), channel="email", target="anna@people.example"
    )
    channel = "email"
    address = "anna@people.example"
    subject = factory.Sequence(lambda number: f"New capacity {number}")
    text = "The venue now takes 180 guests."


class BreakerChangeFactory(Owned):
    class Meta:
        model = BreakerChange

    system = factory.SubFactory(SystemFactory, organization=beside("organization"))
    breaker_key = factory.LazyAttribute(lambda row: str(row.system.id))
    from_state = "closed"
    to_state = "open"
    reason = "Too many calls failed."


class ReceiptFactory(Owned):
    class Meta:
        model = Receipt

    connection = factory.SubFactory(ConnectionFactory, organization=beside("organization"))
    verdict = Receipt.Verdict.ACCEPTED
    external_id = factory.Sequence(lambda number: f"vm_{number}")
    event_type = "capacity.updated"
    body = b'{"id":"vm_1","eventType":"capacity.updated","payload":{"max_capacity":180}}'


class NoticeFactory(Owned):
    """Of a connection's receipt; both are made in one organization."""

    class Meta:
        model = ProviderNotice

    connection = factory.SubFactory(ConnectionFactory, organization=beside("organization"))
    receipt = factory.LazyAttribute(
        lambda row: ReceiptFactory(organization=row.organization, connection=row.connection, event_type="delivered")
    )
    kind = ProviderNotice.Kind.STATUS
    name = "delivered"
    provider_id = factory.Sequence(lambda number: f"wamid.{number}")
    occurred_at = factory.LazyFunction(timezone.now)
    data = factory.LazyFunction(lambda: {"status": "delivered"})
