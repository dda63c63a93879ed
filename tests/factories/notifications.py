"""Messages to people."""

from __future__ import annotations

import factory
from django.utils import timezone

from notifications.models import Incident, Message, MessageTemplate, Notification, Plan, WhatsAppTemplate
from tests.factories.integrations import DeliveryFactory
from tests.factories.live import EventFactory
from tests.factories.weddings import ContactFactory, Owned, WeddingFactory, beside
from wedsync.queues import Priority


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


class NotificationFactory(Owned):
    """Open, for a contact of the event's wedding."""

    class Meta:
        model = Notification

    event = factory.SubFactory(EventFactory, organization=beside("organization"))
    contact = factory.LazyAttribute(
        lambda row: ContactFactory(organization=row.organization, wedding=row.event.wedding)
    )
    recipient = factory.LazyAttribute(lambda row: f"contact:{row.contact.id}")
    name = factory.SelfAttribute("contact.name")
    priority = Priority.NORMAL
    step_since = factory.LazyFunction(timezone.now)


class PlanFactory(Owned):
    """Of the gallery."""

    class Meta:
        model = Plan

    category = "gallery"
    steps = factory.LazyFunction(lambda: [{"channels": ["preferred"], "until": "sent"}])


class IncidentFactory(Owned):
    """Open, with a report of its own."""

    class Meta:
        model = Incident

    wedding = factory.SubFactory(WeddingFactory, organization=beside("organization"))
    event = factory.SubFactory(
        EventFactory, organization=beside("organization"), wedding=beside("wedding"), type="venue.emergency_reported"
    )
    kind = "power_outage"
    description = "The hall is dark"
    opened_by = "Tom Berger"
    told_at = factory.LazyFunction(timezone.now)


class MessageTemplateFactory(Owned):
    """In force, of an event type and every channel."""

    class Meta:
        model = MessageTemplate

    event_type = "venue.capacity_updated"
    locale = "en"
    text = "{{ payload.capacity }} seats at the wedding of {{ wedding.couple }}"


class WhatsAppTemplateFactory(Owned):
    """Approved, for updates."""

    class Meta:
        model = WhatsAppTemplate

    name = factory.Sequence(lambda number: f"our_update_{number}")
    language = "en"
    purpose = "update"
    body = "Dear {{1}}, here is the news: {{2}}. The details are {{3}} for now. Yours, the planners"
    parameters = factory.LazyFunction(lambda: ["recipient", "headline", "details"])
    status = "approved"
