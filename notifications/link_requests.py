"""A contact asks for a new link to the couple's page, with an older one. It goes only to an address that we know."""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Route
from integrations.registry.targets import PlannedDelivery
from integrations.wedding_events.effects import EventOrigin, wedding_event
from notifications.plans import extra_deliveries
from notifications.recipients import resolving
from notifications.rules import policy
from wedsync.correlation import current_or_new
from wedsync.live.event_types.catalogue import LINK_REQUESTED
from wedsync.live.models import ChannelEvent
from wedsync.live.publishing import publish
from wedsync.queues import Priority
from wedsync.weddings import personal_links
from wedsync.weddings.models import Address, Contact, ContactChannel, PersonalLink

CHANNELS = (ContactChannel.EMAIL, ContactChannel.SMS)
"""The channels whose messages always have room for a link; WhatsApp's approved templates have none."""
PAUSE = timedelta(minutes=1)
MOST_A_DAY = 5


@transaction.atomic
def request_by(token: str) -> bool:
    """Send a new link to the contact of an old link to the page, also of one that has ended; whether one was sent.

    Nothing is sent for a token that is not ours or is a calendar's, to a contact who is not of the couple any more or
    has no address that may be used, or too often.
    """
    try:
        asked = personal_links.with_token(token)
    except personal_links.BadToken:
        return False
    old = PersonalLink.objects.filter(asked, purpose=PersonalLink.Purpose.PAGE).first()
    contacts = Contact.objects.select_for_update(no_key=True, of=("self",)).select_related("wedding")
    readers = contacts.filter(role__in=personal_links.READERS)
    contact = readers.filter(id=old.contact_id, wedding_id=old.wedding_id).first() if old else None
    if contact is None or _asked_too_often(contact):
        return False
    plan = _plan(contact)
    if plan is None:
        return False
    origin = EventOrigin(ChannelEvent.Source.WEDSYNC, timezone.now(), current_or_new())
    (event,) = publish([wedding_event(contact.wedding, LINK_REQUESTED, {"contact_id": str(contact.id)}, origin)])
    why = "the contact asked for a new link"
    for delivery in extra_deliveries.create(event, [plan], plan_step=0, why=why, priority=Priority.HIGH):
        personal_links.issue(contact, delivery.id, requested=True)
    return True


def _asked_too_often(contact: Contact) -> bool:
    asked = PersonalLink.objects.filter(contact=contact, requested=True)
    lately = asked.filter(created_at__gt=Now() - PAUSE).exists()
    return lately or asked.filter(created_at__gt=Now() - timedelta(days=1)).count() >= MOST_A_DAY


def _plan(contact: Contact) -> PlannedDelivery | None:
    """The delivery on the first channel that may be used, in the contact's order of preference."""
    senders = resolving.sending_systems(contact.organization_id)
    preferred = [*(name for name in contact.preferred_channels if name in CHANNELS), *CHANNELS]
    for channel in dict.fromkeys(ContactChannel(name) for name in preferred):
        address = next(iter(contact.addresses(channel)), "")
        if channel in senders and address and not _is_blocked(contact, channel, address):
            return PlannedDelivery(
                Route.Target.PEOPLE,
                address,
                channel,
                senders[channel],
                contact,
                recipient=f"contact:{contact.id}",
                name=contact.name,
            )
    return None


def _is_blocked(contact: Contact, channel: ContactChannel, address: str) -> bool:
    row = Address.objects.filter(organization_id=contact.organization_id, channel=channel, value=address).first()
    return bool(policy.blocked_because(channel, row))
