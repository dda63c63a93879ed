"""A message about a venue's capacity."""

from typing import Any

from integrations.models import Delivery
from notifications import wording
from tests.factories import ContactFactory, DeliveryFactory, EventFactory
from wedsync.weddings.models import ContactChannel, Wedding

CAPACITY = "venue.capacity_updated"


def of_whatsapp(wedding: Wedding, **rest: Any) -> tuple[wording.Content, Delivery]:
    event = EventFactory(organization=wedding.organization, wedding=wedding, type=CAPACITY, payload={"capacity": 180})
    contact = ContactFactory(organization=wedding.organization, wedding=wedding, locale="en")
    row = DeliveryFactory(organization=wedding.organization, event=event, contact=contact, channel="whatsapp", **rest)
    return wording.write(wording.Subject(event, contact, ContactChannel.WHATSAPP)), row
