"""Events and their channels."""

from __future__ import annotations

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from tests.factories.weddings import OrganizationFactory, Owned, WeddingFactory, beside
from wedsync.live.models import Channel, ChannelEntry, ChannelEvent
from wedsync.queues import Priority


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
