"""What now prevents sending a delivery: it was allowed when it was created, which may be hours ago."""

from django.utils import timezone

from integrations.models import Delivery
from integrations.registry.senders import Blocked
from integrations.states import Reason
from notifications.consent import wishes
from notifications.models import Sending
from notifications.rules import policy
from wedsync.live.event_types.catalogue import LINK_REQUESTED, type_of
from wedsync.queues import Priority
from wedsync.weddings.models import Address, Contact, ContactChannel


def blocked(delivery: Delivery) -> Blocked | None:
    """``None``: it may be sent. Urgent ones, and links that were asked for, ignore quiet hours and wishes.

    None ignores a blocked address.
    """
    channel, contact = ContactChannel(delivery.channel), delivery.contact
    if channel not in policy.PERSONAL:
        return None
    address = Address.objects.filter(
        organization_id=delivery.organization_id, channel=channel, value=delivery.target
    ).first()
    if reason := policy.blocked_because(channel, address):
        return Blocked(reason)
    if contact is None:
        found = Blocked(Reason.NO_RECIPIENT) if _was_for_a_contact(delivery) else None
    else:
        found = _of_contact(delivery, channel, contact)
    return found


def _of_contact(delivery: Delivery, channel: ContactChannel, contact: Contact) -> Blocked | None:
    if delivery.target not in contact.addresses(channel):
        return Blocked(Reason.NO_ADDRESS)
    if delivery.priority == Priority.URGENT or delivery.event.type == LINK_REQUESTED:
        return None
    category = type_of(delivery.event.type).category
    if not wishes.wanted(contact.id, category, channel):
        return Blocked(Reason.NOT_WANTED)
    until = policy.quiet_until(contact, Priority(delivery.priority), timezone.now())
    return Blocked(Reason.QUIET_HOURS, until, *policy.quiet_order(delivery)) if until else None


def _was_for_a_contact(delivery: Delivery) -> bool:
    sending = Sending.objects.filter(delivery_id=delivery.id).select_related("notification").first()
    return sending is not None and sending.notification.recipient.startswith("contact:")
