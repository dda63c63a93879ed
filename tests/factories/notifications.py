"""Messages to people."""

from __future__ import annotations

import factory

from notifications.models import Message
from tests.factories.integrations import DeliveryFactory
from tests.factories.weddings import Owned, beside


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
